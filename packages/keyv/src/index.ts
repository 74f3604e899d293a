export { QuorateKeyv, type QuorateKeyvOptions } from './quorate-keyv.ts'
