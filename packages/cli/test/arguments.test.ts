import { InvalidArgumentError } from 'commander'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseBootstrap, parseDuration, parseEndpoints, parseValue } from '../src/arguments.ts'
import { shellCommand } from '../src/bin-path.ts'
import { formatTable } from '../src/output.ts'
import { execFileSync } from 'node:child_process'

test('every value that set takes prints as it was typed', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.bigInt().map(String), fc.double().map(String)), (text) => {
      expect(String(parseValue(text))).toBe(text)
    }),
  )
})

test.each(['0', '7', '-7', '9007199254740991', '-9007199254740991'])('%s is an integer', (text) => {
  expect(parseValue(text)).toBe(Number(text))
})

test.each(['', '-0', '+7', '007', '1e3', '1.0', ' 1', '9007199254740992'])('"%s" is a string', (text) => {
  expect(parseValue(text)).toBe(text)
})

test('endpoints are host:port, port 7400 if none is said', () => {
  expect(parseEndpoints('a')).toEqual(['a:7400'])
  expect(parseEndpoints('quorate://10.0.0.1:1,[::1]:2')).toEqual(['10.0.0.1:1', '[::1]:2'])
  for (const bad of ['', 'a:', 'a:99999', 'a b:1', 'http://a:1', 'a:1,'])
    expect(() => parseEndpoints(bad)).toThrow(InvalidArgumentError)
})

test('bootstrap is name=host:port, each name and address once', () => {
  expect(parseBootstrap('n1=a:1,n2=b:2')).toEqual([
    { name: 'n1', address: 'a:1' },
    { name: 'n2', address: 'b:2' },
  ])
  for (const bad of ['a:1', 'n1=a', 'n1=a:1,n1=b:1', 'n1=a:1,n2=a:1', '../x=a:1'])
    expect(() => parseBootstrap(bad)).toThrow(InvalidArgumentError)
})

test('durations have a unit, or are milliseconds', () => {
  expect(['250', '250ms', '1.5s', '1m'].map(parseDuration)).toEqual([250, 250, 1500, 60_000])
  for (const bad of ['0', '-1s', '5 s', '1h', ''])
    expect(() => parseDuration(bad)).toThrow(InvalidArgumentError)
})

test('a printed command is read back by a shell word for word', () => {
  const words = ['plain', 'two words', "it's", '$HOME', '*', '', 'a;b', '"']
  const echoed = execFileSync('sh', ['-c', `printf '%s\\n' ${shellCommand(words)}`], { encoding: 'utf8' })
  expect(echoed).toBe(`${words.join('\n')}\n`)
})

test('a table pads to its widest cell and leaves no blanks at the ends', () => {
  expect(
    formatTable([
      ['A', 'B'],
      ['long', ''],
    ]),
  ).toBe('A     B\nlong\n')
})
