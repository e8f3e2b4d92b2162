// What a visitor does on a page of the shop, told to Backroom. Served as /track.js without these comments.
//
//   <script src="https://api.shop.example/track.js" data-consent="granted"></script>
//
// data-consent  granted, or denied; without it nothing happens until backroom.consent() is called
// data-cookieless  (no value) without consent, events go out with no id at all instead of not at all
// data-api  where events go, if not where this file came from
//
// backroom.consent("granted" | "denied" | {analytics: true, marketing: false, personalization: true})
// backroom.track("product_view", {product_id: "p1", anything: "else goes into props"})
// backroom.identify(token)   the customer's token; without an argument after signing out
// backroom.visitor()         the visitor's id for X-Visitor-Id; undefined without consent
(() => {
  const script = document.currentScript, {dataset} = script;
  const url = (dataset.api || new URL(script.src).origin) + "/v1/events";
  const optedOut = navigator.globalPrivacyControl || navigator.doNotTrack == 1;
  const OWN = /^(product_id|search_id|position|quantity|price|currency|path|referrer|campaign)$/;
  const VISITOR = "backroom.visitor", QUEUE = "backroom.queue";
  let consent, token, timer, sending, shown, told, failures = 0, queue = [];

  // With consent, by its id; without, nothing may be kept on the device.
  const known = () => !optedOut && (consent == "granted" || consent === true || (consent || 0).analytics);

  // A browser may forbid its storages; then a visitor lasts as long as the page.
  const stored = (store, key, value) => {
    try {
      const area = window[store];
      if (value) area.setItem(key, value);
      else if (value === null) area.removeItem(key);
      return area.getItem(key);
    } catch {}
  };

  const save = () => known() && stored("sessionStorage", QUEUE, queue[0] ? JSON.stringify(queue) : null);

  // A UUID of version 7: the store is sorted by it, and knows by it what it has already.
  const id = () => {
    const random = [...crypto.getRandomValues(new Uint8Array(10))].map((byte) => (byte + 256).toString(16).slice(1)).join("");
    const time = Date.now().toString(16).padStart(12, 0);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(1, 4)}-b${random.slice(5, 8)}-${random.slice(8)}`;
  };

  let lasting;
  const visitor = () => {
    if (known()) return lasting ||= stored("localStorage", VISITOR) || (stored("localStorage", VISITOR, lasting = id()), lasting);
  };

  const track = (name, fields) => {
    if (!known() && !("cookieless" in dataset)) return;
    const event = {id: id(), name, ts: new Date, visitor_id: visitor() || "-", path: location.pathname, consent: known() ? consent : false};
    for (const key in fields) {
      if (OWN.test(key)) event[key] = fields[key];
      else (event.props ||= {})[key] = fields[key];
    }
    queue = [...queue, event].slice(-200);
    save();
    soon(queue.length < 20 ? 2e3 : 0);
    return event.id;
  };

  const soon = (ms) => {
    if (failures && timer) return;
    clearTimeout(timer);
    timer = setTimeout(send, ms);
  };

  // What is not answered stays, and goes out again with the same ids: the store takes each once.
  const send = async (leaving) => {
    clearTimeout(timer);
    timer = 0;
    if (!queue[0] || sending && !leaving) return;
    const batch = queue.slice(0, 20), body = JSON.stringify({sent_at: new Date, events: batch});
    if (leaving && told == queue) return;
    // A beacon has no answer: what it took is told again by the next page of this tab, should there be one.
    if (leaving && !token && navigator.sendBeacon(url, body)) return told = queue;
    const headers = {"Content-Type": "text/plain"};
    if (token) headers.Authorization = "Bearer " + token;
    let status = 0;
    sending = 1;
    try {
      ({status} = await fetch(url, {method: "POST", body, headers, keepalive: !!leaving, credentials: "omit"}));
    } catch {}
    sending = 0;
    if (status == 401) token = status = 0;
    const again = !status || status == 429 || status > 499;
    failures = again ? failures + 1 : 0;
    if (!again) queue = queue.filter((event) => !batch.includes(event));
    save();
    if (queue[0]) soon(again ? Math.min(6e4, 1e3 * 2 ** failures) : 0);
  };

  const page = () => {
    if (shown == location.pathname) return;
    const from = !shown && document.referrer && new URL(document.referrer);
    const fields = {};
    if (from && from.host != location.host) fields.referrer = from.origin;
    const campaign = new URLSearchParams(location.search).get("utm_campaign");
    if (campaign) fields.campaign = campaign;
    if (track("page_view", fields)) shown = location.pathname;
  };

  const agree = (said) => {
    const before = known();
    consent = said;
    if (before && !known()) {
      queue = [];
      lasting = stored("localStorage", VISITOR, null);
      stored("sessionStorage", QUEUE, null);
    }
    if (known() && !before) queue = [...JSON.parse(stored("sessionStorage", QUEUE) || "[]"), ...queue];
    page();
  };

  for (const name of ["pushState", "replaceState"]) {
    const was = history[name];
    history[name] = function () {
      was.apply(this, arguments);
      page();
    };
  }
  addEventListener("popstate", page);
  addEventListener("online", () => send());
  addEventListener("pagehide", () => send(1));
  addEventListener("visibilitychange", () => document.hidden && send(1));

  window.backroom = {track, consent: agree, visitor, identify: (said) => { token = said; }};
  agree(dataset.consent);
})();
