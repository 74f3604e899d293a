export { decodeAnswer, encodeAnswer } from './answer.ts'
export { BadFrameError } from './bad-frame-error.ts'
export { ownBytes } from './bytes/own-bytes.ts'
export type * from './client-frame.ts'
export {
  clientRequestBytes,
  decodeClientFrame,
  encodeClientFrame,
  REQUESTS_HEADER_BYTES,
} from './client/client-frame-codec.ts'
export {
  COMMANDS_REQUEST_BYTES,
  KEYS_REQUEST_BYTES,
  RequestsWriter,
  SECTION_REQUEST_BYTES,
} from './client/requests-writer.ts'
export {
  clientReplyBytesMax,
  decodeServerFrame,
  encodeServerFrame,
  REPLIES_HEADER_BYTES,
} from './client/server-frame-codec.ts'
export type * from './command.ts'
export { decodeConfiguration, encodeConfiguration } from './configuration.ts'
export { type ErrorCode, errorCodes, type Outcome, QuorateError } from './errors.ts'
export { type ClusterId, type DirId, type GroupId, META_GROUP } from './identity.ts'
export { assertKey, encodeKey } from './key.ts'
export { limits } from './limits.ts'
export { faultOfShardMap } from './map/check-shard-map.ts'
export { decodeShardMap, emptyShardMap, encodeShardMap } from './map/shard-map-codec.ts'
export type * from './peer-frame.ts'
export { channelOf, channels, travelsOn } from './peer/channel.ts'
export { groupMessageBytesMax } from './peer/group-message-codec.ts'
export { decodePeerFrame, encodePeerFrame, MESSAGES_HEADER_BYTES } from './peer/peer-frame-codec.ts'
export { rowChecksum, snapshotRowBytesMax } from './peer/snapshot-codec.ts'
export { CommandCursor, commandCondition, startsCommands } from './section/command-cursor.ts'
export { decodeSection, decodeSections, validateSection, validateSections } from './section/decode-section.ts'
export {
  commandDraftBytes,
  type Draft,
  DraftChunk,
  keyDraftBytes,
  keyOfDraft,
} from './section/draft-chunk.ts'
export { encodeSection, sectionBytes } from './section/encode-section.ts'
export type { SectionHeader } from './section/section-kind.ts'
export type * from './shard-map.ts'
export { crc16, slotAt, slotOf } from './slot.ts'
export { decodeValue, encodeValue } from './value.ts'
export {
  agreeProtocol,
  FEATURE_RELAXED_READS,
  offersOnlyOtherVersions,
  PROTOCOL_VERSION,
  PROTOCOL_VERSION_MAX,
  PROTOCOL_VERSION_MIN,
} from './version.ts'
