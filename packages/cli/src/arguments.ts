// Reads what people type: addresses, durations, numbers, values. Everything else is refused with the form that is wanted.
import { limits } from '@quorate/protocol'
import { InvalidArgumentError } from 'commander'

const defaultPort = 7400

/** `host:port`, IPv6 hosts in brackets. */
export function parseAddress(text: string): string {
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/.exec(text)
  if (match === null || Number(match[2]) > 65_535)
    throw new InvalidArgumentError(`"${text}" is not host:port.`)
  return text
}

/** `H:P,H:P` or `quorate://H:P,H:P`; the port may be left out (7400). */
export function parseEndpoints(text: string): string[] {
  const parts = text.replace(/^quorate:\/\//, '').split(',')
  return parts.map((part) => parseAddress(/:\d+$/.test(part) ? part : `${part}:${defaultPort}`))
}

export function parseAddresses(text: string): string[] {
  return text.split(',').map(parseAddress)
}

/** `n1=H:P,n2=H:P`: names and peer addresses of the nodes that form a cluster, the first one first. */
export function parseBootstrap(text: string): { name: string; address: string }[] {
  const nodes = text.split(',').map((part) => {
    const at = part.indexOf('=')
    if (at < 1) throw new InvalidArgumentError(`"${part}" is not name=host:port.`)
    return { name: parseNodeName(part.slice(0, at)), address: parseAddress(part.slice(at + 1)) }
  })
  if (new Set(nodes.map(({ name }) => name)).size < nodes.length)
    throw new InvalidArgumentError('A name is there twice.')
  if (new Set(nodes.map(({ address }) => address)).size < nodes.length)
    throw new InvalidArgumentError('An address is there twice.')
  return nodes
}

/** It becomes part of file names and of JSON, so it is kept plain. */
export function parseNodeName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text))
    throw new InvalidArgumentError('A node name has letters, digits, and -_. inside; at most 64.')
  return text
}

/** As `parseDuration`; 0 is the age of what nothing is newer than. */
export const parseAge = (text: string): number => (/^0(?:ms|s|m)?$/.test(text) ? 0 : parseDuration(text))

/** Milliseconds of `250ms`, `5s`, `1m`; a bare number is milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text)
  const unitMs = match?.[2] === 'm' ? 60_000 : match?.[2] === 's' ? 1000 : 1
  const milliseconds = Number(match?.[1]) * unitMs
  if (match === null || milliseconds < 1) throw new InvalidArgumentError('Write 250ms, 5s or 1m.')
  return milliseconds
}

const ttlUnitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Whole milliseconds of `250ms`, `60s`, `5m`, `12h`, `7d`. */
export function parseTtl(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  const ttl = Number(match?.[1]) * (ttlUnitMs[match?.[2] ?? ''] ?? Number.NaN)
  if (!Number.isSafeInteger(ttl) || ttl < 1 || ttl > limits.ttlMs)
    throw new InvalidArgumentError('Write 250ms, 60s, 5m, 12h or 7d: whole milliseconds, at most ten years.')
  return ttl
}

const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  KiB: 1024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
  TiB: 2 ** 40,
}

/** Bytes of `256MiB`, `4GiB`; a bare number is bytes. 0 = no limit. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(KiB|MiB|GiB|TiB)?$/.exec(text)
  const bytes = Number(match?.[1]) * (byteUnits[match?.[2] ?? ''] ?? Number.NaN)
  if (!Number.isSafeInteger(bytes)) throw new InvalidArgumentError('Write 256MiB, 4GiB or a number of bytes.')
  return bytes
}

/** What is wrong with a limit for so many shards, or null. */
export function faultOfMaxBytes(maxBytes: number, shards: number): string | null {
  const least = shards * limits.shardBytesMin
  if (maxBytes === 0 || maxBytes >= least) return null
  return `--max-bytes ${maxBytes} is too little for ${shards} shards: at least ${least / byteMiB}MiB, 12 for each`
}

const byteMiB = 1_048_576

/** A parser for integers within a range. */
export function integerBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`Write an integer from ${min} to ${max}.`)
    return value
  }
}

/**
 * The value that `set KEY VALUE` stores: a safe integer in its canonical spelling becomes an integer, so that `incr` works
 * after it; all else is a string. `007`, `+5`, `-0` and `1e3` are strings: they would not come back as they were typed.
 */
export function parseValue(text: string): string | number {
  const integer = /^(?:0|-?[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(integer) ? integer : text
}
