// Lists that operators give, of which a program takes some: each part is a call of its own.
import { NotFollowed, type Arg, type Calls } from './calls.ts'

/** A list of tensors, or of sizes, one by one. */
export class Parts {
  readonly at: (index: number) => Arg

  constructor(at: (index: number) => Arg) {
    this.at = at
  }
}

/** Calls that give one, by operator: of its arguments, the part at an index. */
const PARTS: Readonly<Record<string, (calls: Calls, args: readonly Arg[], where: string, index: number) => Arg>> = {
  size: (calls, [x], where, index) => calls.add('size', [x, index], where),
  unbind: (calls, [x, axis = 0], where, index) => calls.add('select', [x, axis, index], where),
  split: part, unsafe_split: part, split_with_sizes: part,
}

/** From where to where along an axis, all of one length but perhaps the last, or of lengths in a list. */
function part(calls: Calls, [x, lengths, axis = 0]: readonly Arg[], where: string, index: number): Arg {
  const list = (Array.isArray(lengths) ? lengths : [lengths]) as readonly Arg[]
  if (!list.every((length) => typeof length === 'number')) throw new NotFollowed('has parts whose sizes are computed')
  const begin = Array.isArray(lengths) ? list.slice(0, index).reduce((sum, length) => sum + length, 0) : index * (list[0] as number)
  const length = Array.isArray(lengths) ? list[index] : list[0]
  if (length === undefined) throw new NotFollowed(`takes part ${index} of ${list.length}`)
  return calls.add('slice', [x, axis, begin, begin + length], where)
}

/** The list that a call gives, where it does give one. */
export function partsOf(calls: Calls, op: string, args: readonly Arg[], where: string): Parts | undefined {
  // With an axis, it is one size.
  if (!Object.hasOwn(PARTS, op) || (op === 'size' && args.length > 1)) return undefined
  const made: Map<number, Arg> = new Map()
  return new Parts((index) => {
    if (!Number.isSafeInteger(index) || index < 0) throw new NotFollowed('has an index that is not read')
    const found = made.get(index) ?? (PARTS[op] as typeof PARTS[string])(calls, args, where, index)
    made.set(index, found)
    return found
  })
}
