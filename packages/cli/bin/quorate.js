#!/usr/bin/env node
// The launcher. CommonJS on purpose (see package.json beside it): Node loads ES modules through libuv's thread pool, and the
// pool reads its size once, when it first starts. File system, LevelDB and DNS share that pool; with its usual four
// threads a few slow calls would hold up the sync of the log.
'use strict'
process.env.UV_THREADPOOL_SIZE ??= '12'
import('../dist/index.js')
  .then(({ main }) => main(process.argv.slice(2)))
  .catch((error) => {
    process.stderr.write(`${error?.stack ?? error}\n`)
    process.exitCode = 1
  })
