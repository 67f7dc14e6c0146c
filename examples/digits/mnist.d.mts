export function readTestImages(): Promise<{ count: number, pixels: Float32Array<ArrayBuffer>, labels: Uint8Array<ArrayBuffer> }>
