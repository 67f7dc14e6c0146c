/** In the place of late-threads.ts in editions without threads. */
export async function startThreads(): Promise<string> {
  return 'this edition of lstm-wasm has no threads'
}
