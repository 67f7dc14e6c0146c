// What is printed: a line a mutant while they run; a table by rooms and the survivors at the end.

/** Lines of a text before and after, as a diff shows them. */
export function formatDiff({ file, find, replace }) {
  const lines = (text, sign) => text.split('\n').map((line) => `  ${sign} ${line}`)
  const [before, after] = [find.split('\n'), replace.split('\n')]
  let same = 0
  while (before.length - same > 1 && after.length - same > 1 && before[same] === after[same]) same++
  let end = 0
  while (before.length - same - end > 1 && after.length - same - end > 1 && before.at(-1 - end) === after.at(-1 - end)) end++
  const cut = (all) => all.slice(same, all.length - end).join('\n')
  return [`  ${file}`, ...lines(cut(before), '-'), ...lines(cut(after), '+')].join('\n')
}

/** Killed, survived and equivalent ones of each room: [room, killed, survived, equivalent]. */
export function countRooms(verdicts) {
  const rooms = new Map()
  for (const { room, verdict } of verdicts) {
    const row = rooms.get(room) ?? { killed: 0, survived: 0, equivalent: 0 }
    row[verdict]++
    rooms.set(room, row)
  }
  return [...rooms].map(([room, row]) => [room, row.killed, row.survived, row.equivalent])
}

/** Of those that are not equivalent, how many were killed. */
export function shareKilled(verdicts) {
  const count = (verdict) => verdicts.filter((one) => one.verdict === verdict).length
  const told = count('killed') + count('survived')
  return told === 0 ? 1 : count('killed') / told
}

export function formatTable(verdicts) {
  const rows = countRooms(verdicts)
  const total = rows.reduce((sum, row) => sum.map((value, n) => value + row[n + 1]), [0, 0, 0])
  return [['room', 'killed', 'survived', 'equivalent'], ...rows, ['all', ...total]]
    .map(([room, ...counts]) => [room.padEnd(10), ...counts.map((count) => String(count).padStart(10))].join(' ')).join('\n')
}

export function formatReport(mutants, verdicts) {
  const of = (verdict) => verdicts.filter((one) => one.verdict === verdict).map(({ key }) => mutants.find((mutant) => mutant.key === key))
  const equivalent = of('equivalent').map((mutant) => `${formatDiff(mutant)}\n  ${mutant.equivalent}`)
  const survived = of('survived').map((mutant) => `${mutant.key} ${mutant.room}, ${mutant.kind}\n${formatDiff(mutant)}`)
  const part = (title, texts) => (texts.length === 0 ? [] : [`${title}\n\n${texts.join('\n\n')}`])
  return [...part('Equivalent, with the reason:', equivalent), ...part('Survived:', survived), formatTable(verdicts),
    `${(shareKilled(verdicts) * 100).toFixed(1)} % of those that are not equivalent were killed`].join('\n\n')
}
