/**
 * A body that is read on as it is written, into a queue that has an end: a client that asks and does not read costs this
 * many bytes, and is then cut off.
 *
 * @param done called once, when nobody reads or writes any more
 * @param ends ends the body early, without an error
 */
export function bounded(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
  done: () => void = () => undefined,
  ends?: AbortSignal,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  let over = false
  const finish = (): void => {
    if (over) return
    over = true
    done()
  }
  const cancel = (reason: unknown): void => {
    finish()
    // Whoever writes it is told by its own end.
    reader.cancel(reason).catch(() => undefined)
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const close = (): void => {
          if (over) return
          cancel(new Error('It was ended.'))
          controller.close()
        }
        ends?.addEventListener('abort', close, { once: true })
        const pump = async (): Promise<void> => {
          for (;;) {
            const { done: ended, value } = await reader.read()
            if (over) return
            if (ended) break
            if ((controller.desiredSize ?? 0) <= 0) throw new Error('The client does not read.')
            controller.enqueue(value)
          }
          controller.close()
        }
        pump()
          .catch((error: unknown) => {
            if (over) return
            cancel(error)
            controller.error(error)
          })
          .finally(() => {
            ends?.removeEventListener('abort', close)
            finish()
          })
        if (ends?.aborted) close()
      },
      cancel,
    },
    { highWaterMark: maxBytes, size: (chunk) => chunk.byteLength },
  )
}
