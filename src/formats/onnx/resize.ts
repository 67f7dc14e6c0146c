// Resize and Upsample: how big the result is, as an input or an attribute, by version.
import { malformed } from '../protobuf/wire.ts'
import type { Conversion } from './conversion.ts'

/** Attributes that have one supported value, which is the default. */
const FIXED: Readonly<Record<string, number>> = { exclude_outside: 0, antialias: 0 }

/** Resize 11 to 19 (x, roi, scales, sizes), Resize 10 and Upsample 9 (x, scales), Upsample 7 (`scales`). */
export function convertResize(c: Conversion): void {
  const isOld = c.op === 'Upsample' || c.opset < 11
  const position = isOld ? 1 : 2
  for (const [name, value] of Object.entries(FIXED)) c.requireInt(name, value)
  const policy = c.string('keep_aspect_ratio_policy', 'stretch')
  if (policy !== 'stretch') throw c.unsupported(`keep_aspect_ratio_policy '${policy}'`)
  const others = c.attributes('scales', 'extrapolation_value', 'keep_aspect_ratio_policy', ...Object.keys(FIXED))
  if (others.coordinateTransformationMode === 'tf_crop_and_resize') throw c.unsupported("coordinate_transformation_mode 'tf_crop_and_resize'")
  const attributes = {
    ...others,
    mode: { bilinear: 'linear' }[c.string('mode', 'nearest')] ?? c.string('mode', 'nearest'),
    ...(isOld && { coordinateTransformationMode: 'asymmetric', nearestMode: 'floor' }),
  }
  const sizes = isOld ? '' : c.inputs[3] ?? ''
  if (sizes !== '') return c.emitOutputs('resize', [c.input(0), sizes], attributes)
  const given = c.floats('scales') ?? (c.has(position) ? c.value(position)?.data : undefined)
  if (given === undefined && !c.has(position)) throw malformed(`${c.label}: expected scales or sizes, got neither`)
  if (given === undefined) throw c.unsupported('a scale that is not a constant')
  c.emitOutputs('resize', [c.input(0)], { ...attributes, scales: Array.from(given) })
}
