#!/usr/bin/env node
// The launcher of the checker; committed, because what it imports is built.
'use strict'
import('../dist/main-check.js').catch((error) => {
  process.stderr.write(`${error?.stack ?? error}\n`)
  process.exitCode = 2
})
