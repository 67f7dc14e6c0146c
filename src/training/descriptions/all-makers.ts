import { LOSSES } from './more-losses.ts'
import { OPTIMIZERS } from './more-optimizers.ts'
import { namedLosses } from './named-losses.ts'
import type { Makers } from './output-losses.ts'
import { rateAt } from './schedules.ts'

export const MAKERS: Required<Makers> = { losses: LOSSES, optimizers: OPTIMIZERS, named: namedLosses, rateAt }
