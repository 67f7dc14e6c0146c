// What nets of recurrent, dense and dropout layers have in common: it is there at once.
import { activationGradient } from '../../ops/training/activation-gradient.ts'
import { joinFamilies, type GradientFamily } from '../family.ts'
import { DROPOUT } from './dropout.ts'
import { ELEMENTWISE } from './elementwise.ts'
import { LINEAR } from './linear.ts'
import { LOSSES } from './losses.ts'
import { MOVEMENT } from './movement.ts'

/** Made once, when it is first asked for: importing this module does nothing. */
export const usual = (): GradientFamily => joinFamilies([LINEAR, DROPOUT, LOSSES, {
  operators: [activationGradient],
  lowerings: {},
  rules: { ...ELEMENTWISE, ...MOVEMENT },
}])
