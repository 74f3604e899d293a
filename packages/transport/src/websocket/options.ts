import { limits } from '@quorate/protocol'

export interface WebSocketNetworkOptions {
  /** Longest frame sent or taken, bytes; a longer one from outside closes its connection. Default 4 MiB. */
  readonly maxFrameBytes?: number
  /** How long a connection may take to open, dialled or accepted, ms. Default 5,000. */
  readonly handshakeTimeoutMs?: number
  /** How long the other side may take to answer a close before its socket is destroyed, ms. Default 2,000. */
  readonly closeTimeoutMs?: number
}

export type WebSocketSettings = Required<WebSocketNetworkOptions>

const defaults: WebSocketSettings = {
  maxFrameBytes: limits.frameBytes,
  handshakeTimeoutMs: 5_000,
  closeTimeoutMs: 2_000,
}

export function webSocketSettings(options: WebSocketNetworkOptions): WebSocketSettings {
  return { ...defaults, ...options }
}

/**
 * What both sides tell `ws`. No compression: it costs more than it saves on small binary frames and fragments memory.
 * No UTF-8 check: a text frame closes the connection before anybody could look at its text.
 */
export function commonOptions(settings: WebSocketSettings): {
  perMessageDeflate: false
  skipUTF8Validation: true
  maxPayload: number
  closeTimeout: number
} {
  return {
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload: settings.maxFrameBytes,
    closeTimeout: settings.closeTimeoutMs,
  }
}
