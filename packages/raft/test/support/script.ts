// The language of the transcripts: a line that begins with `> ` is a command, the lines below it are what came of it.
import { describeConfiguration, describePacket, narrateStep } from './narrate.ts'
import type { RaftLimits } from '../../src/index.ts'
import { limits } from './host.ts'
import { World, configurationOf } from './world.ts'
import type { Packet } from './world.ts'

/** Long enough for any election timeout. */
const CAMPAIGN_MS = 600

/** Runs every command of a transcript and writes the transcript anew. */
export function replay(transcript: string): string {
  const script = new Script()
  const written: string[] = []
  for (const line of transcript.split('\n')) {
    if (line.startsWith('#') || line === '') written.push(line)
    if (line.startsWith('> ')) written.push(line, ...script.run(line.slice(2)))
  }
  return `${written
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`
}

type Command = (words: readonly string[]) => void

class Script {
  #world = emptyWorld()
  #limits: Partial<RaftLimits> = limits
  #lines: string[] = []
  #quiet = false

  readonly #commands: Readonly<Record<string, Command>> = {
    /** Of the nodes that `nodes` makes next: `limits inflightAppends=2`. */
    limits: (words) => {
      this.#limits = Object.fromEntries(
        words.map((word) => word.split('=')).map(([name = '', value]) => [name, Number(value)]),
      )
    },
    nodes: (words) => {
      const split = words.indexOf('learners')
      const voters = (split === -1 ? words : words.slice(0, split)).map(Number)
      this.#world = emptyWorld(this.#limits)
      const learners = split === -1 ? [] : words.slice(split + 1).map(Number)
      for (const id of [...voters, ...learners]) this.#world.addHost(id, configurationOf(voters, learners))
      this.#world.onStep = (host, input, effects) => this.#say(...narrateStep(host, input, effects))
    },
    join: ([id]) => this.#world.addHost(Number(id)),
    campaign: ([id]) => {
      this.#world.now += CAMPAIGN_MS
      this.#world.tick(Number(id))
    },
    /** Quietly: an election, the no-op on every disk, everybody told. */
    elect: ([id]) =>
      this.#inSilence(() => {
        this.#world.now += CAMPAIGN_MS
        this.#world.tick(Number(id))
        this.#world.settle(100)
      }),
    settle: ([ms]) => this.#inSilence(() => this.#world.settle(Number(ms ?? 100))),
    advance: ([ms]) => this.#world.advance(Number(ms)),
    tick: ([id, ms]) => {
      this.#world.now += Number(ms ?? 0)
      this.#world.tick(Number(id))
    },
    deliver: (words) => this.#eachPacket(words, (position) => this.#world.deliver(position)),
    duplicate: (words) => {
      const copies = this.#matching(words)
      this.#world.packets.push(...copies)
    },
    drop: (words) => this.#eachPacket(words, (position) => this.#world.drop(position)),
    /** Keeps matching packets back until `release`. */
    hold: (words) => {
      const held = this.#matching(words)
      this.#held.push(...held)
      this.#world.packets = this.#world.packets.filter((packet) => !held.includes(packet))
    },
    release: () => this.#world.packets.push(...this.#held.splice(0)),
    sync: ([id, count]) => this.#world.sync(Number(id), count === undefined ? Infinity : Number(count)),
    propose: ([id, bytes]) => void this.#world.propose(Number(id), Number(bytes ?? 10)),
    read: ([id]) => void this.#world.read(Number(id)),
    heartbeat: ([id]) => this.#world.heartbeat(Number(id)),
    transfer: ([id, to]) => void this.#world.step(Number(id), { type: 'transferLeadership', to: Number(to) }),
    stepdown: ([id]) => void this.#world.step(Number(id), { type: 'stepDown' }),
    lost: ([id, leader]) => void this.#world.step(Number(id), { type: 'leaderLost', from: Number(leader) }),
    change: ([id, ...words]) => {
      const split = words.indexOf('learners')
      const voters = (split === -1 ? words : words.slice(0, split)).map(Number)
      const learners = split === -1 ? [] : words.slice(split + 1).map(Number)
      this.#world.step(Number(id), { type: 'proposeConfiguration', voters, learners })
    },
    crash: ([id, survivors]) => this.#world.crash(Number(id), Number(survivors ?? 0)),
    /** A crash of a disk that lied: it has nothing from `index` on. */
    forget: ([id, index]) => {
      this.#world.crash(Number(id))
      const { log } = this.#world.host(Number(id)).disk
      log.entries = log.entries.filter((entry) => entry.index < Number(index))
    },
    restart: ([id]) => this.#world.restart(Number(id)),
    compact: ([id]) => this.#world.compact(Number(id)),
    /** From here on nothing is applied but by `apply`. */
    slowapply: () => {
      this.#world.appliesAtOnce = false
    },
    apply: ([id]) => this.#world.apply(Number(id)),
    unavailable: ([id, peer]) =>
      void this.#world.step(Number(id), { type: 'unavailable', peer: Number(peer) }),
    /** A second copy of the snapshot that arrived as the n-th (from 0). */
    again: ([number]) => this.#world.installAgain(Number(number)),
    /** What its disk holds, whatever its memory says. */
    disk: ([id]) => {
      const { hardState, log } = this.#world.host(Number(id)).disk
      const entries = log.entries.map(({ index, term }) => `${index}/${term}`).join(' ')
      this.#say(
        `${id} has on disk term ${hardState.currentTerm} vote ${hardState.votedFor ?? 'none'} [${entries}]`,
      )
    },
    lease: ([id]) => this.#say(this.#lease(Number(id))),
    /** Delivers and syncs among some until nothing is left between them; `without` leaves one type of message out. */
    among: (words) => this.#among(words),
    /** Calm milliseconds for some: heartbeats, ticks, everything between them delivered. The others stand still. */
    pass: ([ms, ...words]) => {
      const end = this.#world.now + Number(ms)
      const split = words.indexOf('without')
      const ids = split === -1 ? words : words.slice(0, split)
      while (this.#world.now < end) {
        this.#world.now += 50
        for (const id of ids) this.#world.tick(Number(id))
        for (const id of ids) this.#world.heartbeat(Number(id))
        this.#among(words)
      }
    },
    quietly: (words) => this.#inSilence(() => this.#perform(words)),
    network: () => this.#say(...this.#world.packets.map(describePacket)),
    state: (words) => {
      const chosen = words.length === 0 ? [...this.#world.hosts.keys()] : words.map(Number)
      for (const id of chosen) this.#say(this.#state(id))
    },
  }

  #held: Packet[] = []

  run(line: string): string[] {
    this.#lines = []
    try {
      this.#perform(line.trim().split(/\s+/))
    } catch (error) {
      // Broken invariants are an outcome that a transcript may show; broken properties and scripts are not.
      if (!(error instanceof Error) || error.name !== 'InvariantViolation') throw error
      this.#say(`throws ${error.message}`)
    }
    return this.#lines
  }

  #perform([name = '', ...words]: readonly string[]): void {
    const command = this.#commands[name]
    if (command === undefined) throw new Error(`no command "${name}"`)
    command(words)
  }

  #among(words: readonly string[]): void {
    const split = words.indexOf('without')
    const ids = new Set((split === -1 ? words : words.slice(0, split)).map(Number))
    const without = split === -1 ? null : `type=${words[split + 1]}`
    this.#world.among(ids, (packet) => without === null || !fits(packet, without))
  }

  #say(...lines: string[]): void {
    if (!this.#quiet) this.#lines.push(...lines)
  }

  #inSilence(act: () => void): void {
    this.#quiet = true
    act()
    this.#quiet = false
  }

  /** `from=1`, `to=2`, `type=voteRequest`, `first` (the oldest only); without words every packet of this moment. */
  #matching(words: readonly string[]): Packet[] {
    const found = this.#world.packets.filter((packet) => words.every((word) => fits(packet, word)))
    return words.includes('first') ? found.slice(0, 1) : found
  }

  #eachPacket(words: readonly string[], act: (position: number) => void): void {
    for (const packet of this.#matching(words)) {
      const position = this.#world.packets.indexOf(packet)
      if (position !== -1) act(position)
    }
  }

  #lease(id: number): string {
    const { now } = this.#world
    const { raft } = this.#world.host(id)
    const left = (raft?.leaseUntil(now) ?? 0) - now
    const sentAt = raft?.confirmedSentAt(now) ?? null
    const age = sentAt === null ? 'not confirmed' : `confirmed ${now - sentAt} ms ago`
    return `${id} has ${left > 0 ? `a lease for ${left} ms` : 'no lease'}, ${age}`
  }

  #state(id: number): string {
    const { raft, log } = this.#world.host(id)
    if (raft === null) return `${id} is down`
    const { role, currentTerm, lastIndex, durableIndex, commitIndex, configuration } = raft
    const from = log.compacted.index + 1
    const entries = log.entries.map(({ index, term }) => `${index}/${term}`).join(' ')
    return `${id} ${role} term ${currentTerm} log ${from}..${lastIndex} [${entries}] durable ${durableIndex} commit ${commitIndex} ${describeConfiguration(configuration)}`
  }
}

function fits({ from, to, parcel }: Packet, word: string): boolean {
  const [key, value = ''] = word.split('=')
  if (key === 'from') return from === Number(value)
  if (key === 'to') return to === Number(value)
  if (key === 'type') return (parcel.kind === 'message' ? parcel.message.type : parcel.kind) === value
  return word === 'first'
}

/** Without chance: every election timeout is the longest but a quarter. */
function emptyWorld(chosen: Partial<RaftLimits> = limits): World {
  return new World({ voters: [], draw: () => 0.5, limits: chosen })
}
