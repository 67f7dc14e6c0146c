// Entry point of `lstm-wasm/sharing`.
export { openShared, type OpenSharedOptions } from './open-shared.ts'
export { share, type ShareOptions } from './share.ts'
export type { Caller, SharedModel } from './shared-model.ts'
