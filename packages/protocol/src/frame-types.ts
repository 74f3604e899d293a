// The first byte of every frame. The ranges differ, so that a client on a peer port is refused at once.

export const clientFrameTypes = { hello: 0x01, requests: 0x02, status: 0x03, admin: 0x04 } as const

export const serverFrameTypes = {
  welcome: 0x21,
  unwelcome: 0x22,
  replies: 0x23,
  map: 0x24,
  status: 0x25,
  admin: 0x26,
} as const

export const peerFrameTypes = {
  hello: 0x41,
  welcome: 0x42,
  unwelcome: 0x43,
  messages: 0x44,
  heartbeat: 0x45,
  heartbeatAnswer: 0x46,
  map: 0x47,
  join: 0x48,
  snapshotChunk: 0x49,
  snapshotAnswer: 0x4a,
  stateHash: 0x4b,
  probe: 0x4c,
  progress: 0x4d,
  excluded: 0x4e,
  metaReport: 0x4f,
  load: 0x50,
} as const
