// Templates whose value wants to run a script: each is refused, or keeps the value text. A browser
// that shows those that are left must not run any (tests/frontends).

import { html } from "../../lib/display/html_tag.ts";

const RUN = "window.hacked=1";
const URL_ = `javascript:${RUN}`;
const TAG = `<img src=x onerror=${RUN}>`;
const SVG = `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='parent.${RUN}'/>`;
const PAGE = `data:text/html,<script>parent.${RUN}</script>`;
const BREAK = `" onmouseover="${RUN}" autofocus onfocus="${RUN}`;

/** What must be refused: the value would run, or be a part of a tag's own syntax. */
export const REFUSED: readonly (() => unknown)[] = [
  () => html`<script>${RUN}</script>`,
  () => html`<SCRIPT>${RUN}</SCRIPT>`,
  () => html`<style>${RUN}</style>`,
  () =>
    html`
      <textarea>${TAG}</textarea>
      <script>${RUN}</script>
    `,
  () => html`<title><b></title>${TAG}`,
  () => html`<xmp>${TAG}</xmp>`,
  () => html`<noscript>${TAG}</noscript>`,
  () => html`<plaintext>${TAG}`,
  () => html`<!-- ${"--><img src=x onerror=" + RUN + ">"} -->`,
  () => html`<!${"-->" + TAG}`,
  () => html`<${"img src=x onerror=" + RUN}>`,
  () => html`</${"b"}>`,
  () => html`<b ${`onclick=${RUN}`}>x</b>`,
  () => html`<b title=${`x onclick=${RUN}`}>x</b>`,
  () => html`<b title = ${`x onclick=${RUN}`}>x</b>`,
  () => html`<b title="a > b" ${`onclick=${RUN}`}>x</b>`,
  () => html`<b title='a > b' onclick='${RUN}'>x</b>`,
  () => html`<b title="->" title2=${RUN}>x</b>`,
  () => html`<img alt="a > b" src=${`x onerror=${RUN}`}>`,
  () => html`<b onclick="${RUN}">x</b>`,
  () => html`<b ONCLICK="${RUN}">x</b>`,
  () =>
    html`
      <b /onclick="${RUN}">x</b>
    `,
  () =>
    html`
      <b title="x" onclick="${RUN}">x</b>
    `,
  () => html`<b style="${`background:url(${URL_})`}">x</b>`,
  () => html`<a href="${URL_}">x</a>`,
  () => html`<a href="${` jAvA\tscript:${RUN}`}">x</a>`,
  () => html`<a href="${`\u0001javascript:${RUN}`}">x</a>`,
  () => html`<a href="java${`script:${RUN}`}">x</a>`,
  () => html`<a href="${"java"}script:window.hacked=1">x</a>`,
  () => html`<a href="${PAGE}">x</a>`,
  () => html`<a title="1 > 0" href="${URL_}">x</a>`,
  () => html`<a href='${"vbscript:" + RUN}'>x</a>`,
  () => html`<a ping="${URL_}">x</a>`,
  () => html`<area href="${URL_}">`,
  () => html`<img src="${PAGE}">`,
  () => html`<img src="${URL_}">`,
  () => html`<img srcset="${URL_}">`,
  () => html`<iframe src="${SVG}"></iframe>`,
  () => html`<iframe src="${PAGE}"></iframe>`,
  () => html`<iframe srcdoc="${TAG}"></iframe>`,
  () => html`<iframe>${TAG}</iframe>`,
  () => html`<iframe title="${RUN}"></iframe>`,
  () => html`<object data="${SVG}"></object>`,
  () => html`<embed src="${SVG}">`,
  () => html`<frame src="${PAGE}">`,
  () => html`<form action="${URL_}"><button>x</button></form>`,
  () => html`<button formaction="${URL_}">x</button>`,
  () => html`<input formaction="${URL_}" type="submit">`,
  () => html`<meta http-equiv="refresh" content="${`0;url=${URL_}`}">`,
  () => html`<base href="${URL_}">`,
  () => html`<link rel="stylesheet" href="${URL_}">`,
  () => html`<svg><a xlink:href="${URL_}"><text y="9">x</text></a></svg>`,
  () => html`<svg><a><set attributeName="href" to="${URL_}"/><text y="9">x</text></a></svg>`,
  () => html`<svg><a><animate attributeName="href" values="${URL_}"/></a></svg>`,
  () =>
    html`
      <svg>
        <set attributeName="${"onclick"}" to="x" />
      </svg>
    `,
  () =>
    html`
      <svg>
        <use href="${SVG}" />
      </svg>
    `,
  () =>
    html`
      <svg>
        <image href="${SVG}" />
      </svg>
    `,
  () =>
    html`
      <svg>
        <![CDATA[${TAG}]]>
      </svg>
    `,
  () => html`<video src="${URL_}"></video>`,
  () => html`<body background="${URL_}">`,
  () => html`<b data-x="${RUN}">x</b>`,
  () => html`<b id=${"x"}>x</b>`,
];

/** What is kept as text or as a label, whatever is in it. */
export const KEPT: readonly (() => { readonly html: string })[] = [
  () => html`<p>${TAG}</p>`,
  () => html`${TAG}`,
  () => html`<p title="${BREAK}">x</p>`,
  () => html`<p title='${BREAK.replaceAll('"', "'")}'>x</p>`,
  () => html`<p title = "${BREAK}">x</p>`,
  () => html`<p title="a > b" class="${BREAK}">x</p>`,
  () =>
    html`
      <!-- a > b -->
      <p>${TAG}</p>
    `,
  () => html`1 < 2 <p>${TAG}</p>`,
  () => html`<p aria-label="${BREAK}">${"</p>" + TAG}</p>`,
  () => html`<img alt="${BREAK}" width="${BREAK}">`,
  () =>
    html`
      <svg>
        <text x="${BREAK}" fill="${BREAK}">${TAG}</text>
      </svg>
    `,
  () => html`<a href="${"https://keras.io/?" + BREAK}">x</a>`,
  () => html`<a href="${"#" + BREAK}">x</a>`,
  () => html`<img src="${"data:image/png;base64," + BREAK}">`,
  () => html`<img src="${SVG}">`, // a picture's scripts do not run
  () => html`<p>${[TAG, html`<b>${TAG}</b>`]}</p>`,
  () =>
    html`
      <style>b { color: red }</style>
      <p>${TAG}</p>
    `,
  () => html`<p title="&quot;">${TAG}</p>`,
];
