// Progress goes to stderr, results to stdout.
import process from 'node:process'

export function progress(text: string): void {
  process.stderr.write(`${text}\n`)
}

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`)
}
