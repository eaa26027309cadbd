import { pageOf, type Shown, shownOf } from './notice.ts'

/**
 * Shows notices while no page is open (Push API, Notifications API). It answers no request: what the page is made of comes from the
 * server each time.
 */

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface Pushed extends Extendable {
  readonly data: { text(): string } | null
}
interface Clicked extends Extendable {
  readonly notification: Notification
}
/** What of a service worker's own surroundings is used: the types of pages do not have them. */
interface Worker {
  readonly location: Location
  readonly registration: ServiceWorkerRegistration
  readonly clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: true }): Promise<readonly Tab[]>
    openWindow(url: string): Promise<unknown>
  }
  addEventListener(type: 'push', listener: (event: Pushed) => void): void
  addEventListener(type: 'notificationclick', listener: (event: Clicked) => void): void
}
interface Tab {
  readonly url: string
  focus(): Promise<unknown>
}

const worker = self as unknown as Worker

worker.addEventListener('push', (event) => {
  const { title, link, ...shown } = shownOf(event.data?.text() ?? null)
  event.waitUntil(
    worker.registration.showNotification(title, { ...shown, data: { link } satisfies Pick<Shown, 'link'> }),
  )
})

worker.addEventListener('notificationclick', (event) => {
  const { notification } = event
  notification.close()
  event.waitUntil(open(pageOf(notification.data?.link, worker.location.origin)))
})

/** In the tab that shows it already, where there is one. */
async function open(page: string): Promise<unknown> {
  const tabs = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
  return tabs.find(({ url }) => url === page)?.focus() ?? worker.clients.openWindow(page)
}
