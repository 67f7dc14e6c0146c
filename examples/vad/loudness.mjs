/** How loud a frame is, from 0 (-60 dB and less) to 1 (full scale). */
export function loudnessOf(frame) {
  const power = frame.reduce((sum, value) => sum + value * value, 0) / frame.length
  return Math.max(0, 1 + Math.log10(power + 1e-12) / 6)
}
