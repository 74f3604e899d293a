// LevelDB against the conformance suite; a crash is a copy of the directory taken while the store is open.
import { Level } from 'level'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLevelStateStore, type StateStore } from '../../src/index.ts'
import { stateStoreConformance } from '../../src/conformance.ts'

stateStoreConformance('LevelDB', async () => {
  const root = mkdtempSync(join(tmpdir(), 'quorate-state-'))
  let boot = 0
  let opened: StateStore | null = null
  const directory = (): string => join(root, `boot-${boot}`)
  const raw = async <Result>(
    use: (database: Level<Uint8Array, Uint8Array>) => Promise<Result>,
  ): Promise<Result> => {
    const database = new Level<Uint8Array, Uint8Array>(directory(), {
      keyEncoding: 'view',
      valueEncoding: 'view',
    })
    await database.open()
    try {
      return await use(database)
    } finally {
      await database.close()
    }
  }
  return {
    open: async (dirId = 'directory') => {
      opened = await openLevelStateStore(directory(), dirId)
      return opened
    },
    crash: async () => {
      const dying = directory()
      boot += 1
      cpSync(dying, directory(), { recursive: true })
      await opened?.close()
      rmSync(dying, { recursive: true })
    },
    rows: () => raw((database) => database.iterator().all()),
    tamper: (key, sealed) =>
      raw((database) => (sealed === null ? database.del(key) : database.put(key, sealed))),
    dispose: async () => {
      await opened?.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
})
