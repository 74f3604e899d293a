// The command line `quorate`. The launcher in bin/ calls `main`; tests call `run` with a terminal and a cache of their own.
export { main } from './main.ts'
export { type CliContext, run } from './run.ts'
