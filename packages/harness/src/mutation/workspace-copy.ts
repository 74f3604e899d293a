// A copy of the built workspace in a temporary directory, for one mutant at a time. Tests in it see the patched source,
// processes and simulations the patched build.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runChild } from './child.ts'
import { type Mutant, packageOf } from './mutant.ts'
import { patch } from './patch.ts'

const COMPILE_TIMEOUT_MS = 120_000
/** History, what is linked instead, and the data of `quorate dev`. */
const notCopied = new Set(['.git', 'node_modules', '.quorate'])

export class WorkspaceCopy {
  readonly directory: string
  readonly #workspace: string

  constructor(workspace: string) {
    this.#workspace = workspace
    this.directory = mkdtempSync(path.join(tmpdir(), 'quorate-mutants-'))
    process.once('exit', this.#remove)
    for (const name of readdirSync(workspace)) if (!notCopied.has(name)) this.#copy(name)
    // Packages link one another relatively and so stay in the copy; what comes from outside is not copied.
    const modules = path.join(this.directory, 'node_modules')
    mkdirSync(modules)
    for (const name of readdirSync(path.join(workspace, 'node_modules'))) {
      if (name === '@quorate') this.#copy('node_modules/@quorate')
      else symlinkSync(path.join(workspace, 'node_modules', name), path.join(modules, name))
    }
  }

  /** Patches and compiles one file. Throws where the patch does not fit or does not compile. */
  async apply(mutant: Mutant): Promise<void> {
    const file = path.join(this.directory, 'packages', mutant.file)
    writeFileSync(file, patch(readFileSync(file, 'utf8'), mutant))
    // What the bug no longer uses is no mistake of types.
    const flags = ['--noUnusedLocals', 'false', '--noUnusedParameters', 'false']
    const { code, output } = await runChild(
      ['node_modules/typescript/bin/tsc', '-p', `packages/${packageOf(mutant.file)}`, ...flags],
      this.directory,
      COMPILE_TIMEOUT_MS,
    )
    if (code !== 0) throw new Error(`"${mutant.name}" does not compile:\n${output}`)
  }

  /** Makes the mutant's package what it was. */
  restore(mutant: Mutant): void {
    const name = `packages/${packageOf(mutant.file)}`
    rmSync(path.join(this.directory, name), { recursive: true })
    this.#copy(name)
  }

  remove(): void {
    process.off('exit', this.#remove)
    this.#remove()
  }

  readonly #remove = (): void => rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 })

  #copy(name: string): void {
    cpSync(path.join(this.#workspace, name), path.join(this.directory, name), {
      recursive: true,
      verbatimSymlinks: true,
      preserveTimestamps: true,
    })
  }
}
