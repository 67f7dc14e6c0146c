/** Fields of a record that kernels read, in its order, four bytes each. */
export type Fields<Name extends string> = Readonly<Record<Name, 'int' | 'float'>>

/** The bytes of a record. */
export function recordOf<Name extends string>(fields: Fields<Name>, values: Readonly<Record<Name, number>>): Uint8Array {
  const entries = Object.entries(fields) as [Name, 'int' | 'float'][]
  const view = new DataView(new ArrayBuffer(entries.length * 4))
  entries.forEach(([name, type], index) => {
    if (type === 'int') view.setInt32(index * 4, values[name], true)
    else view.setFloat32(index * 4, values[name], true)
  })
  return new Uint8Array(view.buffer)
}
