// Numbers of calls of kernels, by what they are, and records of them in linear memory.
//
// Plain numbers (literals, results of arithmetic) pass for each of them; what has been called an address, a whole number or a
// real one passes for nothing else. So a pointer in the place of a size does not compile.

/** An address in linear memory; 0 for what is absent. */
export type Pointer = number & { readonly kind?: 'address' }
/** A whole number: a size, a position, a distance in bytes, a code, 0 or 1. */
export type Int = number & { readonly kind?: 'integer' }
/** A real number: a constant of a function, an epsilon. */
export type Float = number & { readonly kind?: 'real' }

type FieldType = 'usize' | 'i32' | 'f32' | 'f64'

/** The fields of a record in their order, with their types: what src/contract/numbers.ts has of every unmanaged class. */
export type RecordFields = Readonly<Record<string, FieldType>>

/** A number for every field: none may be missing, and each has its name. */
export type RecordValues<Fields extends RecordFields> = {
  readonly [Name in keyof Fields]: Fields[Name] extends 'usize' ? Pointer : Fields[Name] extends 'i32' ? Int : Float
}

/** The address of a record: no other record's passes for it. */
export type RecordPointer<Fields extends RecordFields> = Pointer & { readonly fields?: Fields }

/**
 * The bytes of a record, as they lie in linear memory: every field at the next multiple of its own size.
 * @param tail i32s that follow the fields
 */
export function encodeRecord<Fields extends RecordFields>(fields: Fields, values: RecordValues<Fields>, tail: readonly number[] = []): Uint8Array {
  const entries = Object.entries(fields)
  const view = new DataView(new ArrayBuffer(entries.length * 8 + tail.length * 4))
  let end = 0
  const append = (type: FieldType, value: number): void => {
    const bytes = type === 'f64' ? 8 : 4
    const at = Math.ceil(end / bytes) * bytes
    if (type === 'f64') view.setFloat64(at, value, true)
    else if (type === 'f32') view.setFloat32(at, value, true)
    else view.setInt32(at, value, true)
    end = at + bytes
  }
  for (const [name, type] of entries) append(type, values[name] as number)
  for (const value of tail) append('i32', value)
  return new Uint8Array(view.buffer, 0, end)
}
