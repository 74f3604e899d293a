import { expect, test } from 'vitest'
import { formatAddress, parseAddress } from '../src/address.ts'

test('addresses are host:port with IPv6 in brackets', () => {
  expect(parseAddress('127.0.0.1:7400')).toEqual({ host: '127.0.0.1', port: 7400 })
  expect(parseAddress('node-1.example:0')).toEqual({ host: 'node-1.example', port: 0 })
  expect(parseAddress('[::1]:65535')).toEqual({ host: '::1', port: 65_535 })
  expect(formatAddress('::1', 80)).toBe('[::1]:80')
  expect(formatAddress('n1', 80)).toBe('n1:80')
})

test.each([
  '',
  'host',
  'host:',
  ':80',
  'host:65536',
  'a:b:80',
  'http://host:80',
  'ho st:80',
  '[::1]',
  'host:80/x',
])('%j is refused as an address', (text) => {
  expect(() => parseAddress(text)).toThrow(expect.objectContaining({ name: 'NetworkError', code: 'EINVAL' }))
})
