// Golden transcripts: each file under transcripts/ is a script and everything that the cores did. A change of behaviour is
// a diff to review; UPDATE_TRANSCRIPTS=1 writes them anew.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { replay } from './support/script.ts'

const folder = new URL('transcripts/', import.meta.url)

for (const name of readdirSync(folder)) {
  const [title = name] = readFileSync(new URL(name, folder), 'utf8').split('\n')
  test(`${name}: ${title.replace(/^# /, '')}`, () => {
    const transcript = readFileSync(new URL(name, folder), 'utf8')
    const written = replay(transcript)
    const update = process.env['UPDATE_TRANSCRIPTS'] === '1'
    if (update) writeFileSync(new URL(name, folder), written)
    expect(update ? transcript : written).toBe(transcript)
  })
}
