export { QuorateSessionStore, type QuorateSessionStoreOptions } from './session-store.ts'
