// A Worker for pages opened as files, where browsers allow none: the script runs in a hidden frame. The theme would fetch such a thing.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.append(frame)
      this.inner = frame.contentWindow
      this.inner.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
      const load = source =>
        new Promise((done, failed) => {
          const script = this.inner.document.createElement("script")
          Object.assign(script, { src: source, onload: done, onerror: failed })
          this.inner.document.head.append(script)
        })
      this.inner.importScripts = async (...sources) => {
        for (const source of sources) await load(source)
      }
      this.loaded = load(url)
    }
    postMessage(data) {
      this.loaded.then(() => this.inner.dispatchEvent(new this.inner.MessageEvent("message", { data })))
    }
  }
}
