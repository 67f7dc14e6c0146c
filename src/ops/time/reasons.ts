// Why operators cannot be run step by step: words that more than one file needs. Those of operators of layers are in rules.ts.
export const SUMS_STEPS = 'sums up over the timesteps'
export const LOOKS_FOR_STEPS = 'looks for one of the timesteps'
export const JOINS_STEPS = 'joins sequences one after the other'
