// Conformance suites of this package's ports; imported by tests only.
export { stateStoreConformance } from './state/conformance/suite.ts'
export type { CreateStateStoreWorld, StateStoreWorld } from './state/conformance/world.ts'
