/** The version of the package: models are shared between threads that have the same one. */
export const VERSION = '0.1.0'
