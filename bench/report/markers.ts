/**
 * The text with what stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->` replaced.
 * @throws Error without the markers, each once and in this order
 */
export function betweenMarkers(text: string, name: string, content: string) {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`]
  const parts = text.split(begin)
  const rest = parts[1]?.split(end)
  if (parts.length !== 2 || rest?.length !== 2) throw new Error(`expected ${begin} and ${end} once each, in this order`)
  return `${parts[0]}${begin}\n${content}\n${end}${rest[1]}`
}
