// What products and recurrences take for granted of caches: every threshold in bytes, in one place. Measured on one machine, an
// AMD EPYC (Zen 4) with 32 kB of first-level and 1 MB of second-level cache a core; docs/kernels.md has the figures. None of them changes
// a result, only how long it takes.

/** Weights of up to so many bytes stay in the second-level cache from one use to the next. */
export const NEAR_WEIGHT_BYTES: i32 = 1048576

/** Weights between these sizes just do not fit there: steps walk them to and fro. */
export const LEAST_OVERFLOWING_BYTES: i32 = 655360
export const MOST_OVERFLOWING_BYTES: i32 = 1310720

/** Rows of a product are taken in groups whose inputs stay in the second-level cache while all blocks pass: small, where the weights stay there too, */
export const ROW_GROUP_BYTES: i32 = 65536
/** and large, where each group fetches them from further away. */
export const FAR_ROW_GROUP_BYTES: i32 = 524288

/** Gates of this many bytes stay in the second-level cache until the recurrence needs them. */
export const CHUNK_BYTES: i32 = 131072
/** Where input weights come from further away, a chunk has rows that make up for it. */
export const FAR_CHUNK_ROWS: i32 = 384

/** Windows of a convolution are gathered in portions of this size, which stay in the second-level cache. */
export const PORTION_BYTES: i32 = 131072
