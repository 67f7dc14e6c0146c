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

/** In the words of DataView; an address is Uint32. */
type FieldType = 'Uint32' | 'Int32' | 'Float32' | 'Float64'

/** The fields of a record in their order, with their types: what src/contract/ has of every unmanaged class of the kernels. */
export type RecordFields = Readonly<Record<string, FieldType>>

/** A number for every field: none may be missing, and each has its name. */
export type RecordValues<Fields extends RecordFields> = {
  readonly [Name in keyof Fields]: Fields[Name] extends 'Uint32' ? Pointer : Fields[Name] extends 'Int32' ? Int : Float
}

/** The address of a record: no other record's passes for it. */
export type RecordPointer<Fields extends RecordFields> = Pointer & { readonly fields?: Fields }

/**
 * The bytes of a record, as they lie in linear memory: every field at the next multiple of its own size.
 * @param tail i32s that follow the fields
 */
export function encodeRecord<Fields extends RecordFields>(fields: Fields, values: RecordValues<Fields>, tail: readonly number[] = []): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * (Object.keys(fields).length + tail.length)))
  let end = 0
  const append = (type: FieldType, value: number): void => {
    const bytes = type === 'Float64' ? 8 : 4
    end = Math.ceil(end / bytes) * bytes
    view[`set${type}`](end, value, true)
    end += bytes
  }
  for (const name in fields) append(fields[name] as FieldType, values[name])
  for (const value of tail) append('Int32', value)
  return new Uint8Array(view.buffer, 0, end)
}
