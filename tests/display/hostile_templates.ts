// Templates in which a value would run, or leave its place, if a browser got it: each is refused.

import { type Html, html } from "@gatescope/lstm";

// Under another name: the formatter would mend what stands in html`…`.
const tag = html;

const alert = "hacked=1";
const script = "javascript:hacked=1";
const event = "x onerror=hacked=1";
const svg = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><script>" +
  "parent.postMessage('ran','*')</script></svg>";

/** By what they are about. */
export const REFUSED: Readonly<Record<string, () => Html>> = {
  "no quotes": () => tag`<img alt=a src=${event}>`,
  "no quotes after a > in quotes": () => tag`<img alt="a > b" src=${event}>`,
  "no quotes after blanks": () => tag`<img src = ${event}>`,
  "part of an unquoted value": () => tag`<img src=a${event}>`,
  "as an attribute": () => tag`<img src="x" ${"onerror=hacked=1"}>`,
  "as an attribute after a ->": () => tag`<img src="x" title="a->b" ${"onerror=hacked=1"}>`,
  "right after quotes": () => tag`<img src="x"${" onerror=hacked=1"}>`,
  "as an attribute's name": () => tag`<img src="x" ${"onerror"}="hacked=1">`,
  "part of an attribute's name": () => tag`<img src="x" on${"error"}="hacked=1">`,
  "as a tag's name": () => tag`<${"script"}>hacked=1</script>`,
  "part of a tag's name": () => tag`<scr${"ipt"}>hacked=1</script>`,
  "as a closing tag's name": () => tag`<b></${"b><script>hacked=1</script>"}>`,
  "in a closing tag": () => tag`<b></b title="${alert}">`,
  "in a declaration": () => tag`<!${"-- --><script>hacked=1</script>"}>`,
  "in a processing instruction": () => tag`<?${"><script>hacked=1</script>"}>`,
  "in a comment": () => tag`<!-- ${"--><script>hacked=1</script>"} -->`,
  "after a comment that is over at once": () => tag`<!--><img onerror="-->${alert}" src="x">`,
  "after a comment of three dashes": () => tag`<!---><img onerror="-->${alert}" src="x">`,
  "after a comment that ends in --!>": () => tag`<!-- --!><img onerror="-->${alert}" src="x">`,
  "in CDATA": () => tag`<svg><![CDATA[ > ]]>${alert}</svg>`,
  "in a handler": () => tag`<img src="x" onerror="${alert}">`,
  "in a handler in capitals": () => tag`<img src="x" ONERROR="${alert}">`,
  "in a handler after a > in quotes": () => tag`<img src="x" title="1 > 0" onerror="${alert}">`,
  "in a handler after a > in single quotes": () => tag`<img src="x" title='>' onerror='${alert}'>`,
  "in a handler after a slash": () => tag`<img/src="x"/onerror="${alert}">`,
  "in a handler right after quotes": () => tag`<img src="x"onerror="${alert}">`,
  "in a handler after an unquoted quote": () => tag`<img src=x" onerror="${alert}">`,
  "in a handler after a name of quotes": () => tag`<img "=">" src="x" onerror="${alert}">`,
  "in a handler after a form feed": () => tag`<img\fsrc="x"\fonerror="${alert}">`,
  "part of a handler": () => tag`<img src="x" onerror="title='${"';hacked=1;'"}'">`,
  "a second value of a handler": () => tag`<b title="${"a"}" onclick="${alert}">k</b>`,
  "in a style": () => tag`<b style="background:${"url(x)"}">k</b>`,
  "in srcdoc": () => tag`<iframe srcdoc="${"<script>parent.hacked=1</script>"}"></iframe>`,
  "in srcset": () => tag`<img srcset="${script}">`,
  "in a script": () => tag`<script>${alert}</script>`,
  "in a string in a script": () => tag`<script>let a = "${'";hacked=1;"'}"</script>`,
  "in a script of another spelling": () => tag`<SCRIPT >${alert}</SCRIPT >`,
  "in a script after a name alike": () => tag`<script></scripts>${alert}</script>`,
  "in a script in a comment in it": () => tag`<script><!--<script></script>${alert}//--></script>`,
  "in a script in SVG": () => tag`<svg><script><!-- </script> -->${alert}</script></svg>`,
  "in a script in SVG, in quotes": () =>
    tag`<svg><script><b title="</script>"/>${alert}</script></svg>`,
  "in a style sheet": () => tag`<style>b { ${"}"} }</style>`,
  "in a style sheet in SVG": () =>
    tag`<svg><style><img title="</style>" onerror="${alert}" src="x"></style></svg>`,
  "in a textarea": () => tag`<textarea>${"</textarea>"}</textarea>`,
  "in a title": () => tag`<title>${"</title>"}</title>`,
  "in an iframe": () => tag`<iframe>${alert}</iframe>`,
  "in xmp": () => tag`<xmp>${"</xmp>"}</xmp>`,
  "in noembed": () => tag`<noembed>${alert}</noembed>`,
  "in noscript": () => tag`<noscript>${alert}</noscript>`,
  "behind noscript in quotes": () =>
    tag`<noscript><img title="</noscript>" onerror="${alert}" src="x">`,
  "after plaintext": () => tag`<plaintext>${alert}`,
  "a link to a script": () => tag`<a href="${script}">k</a>`,
  "a link to a script after a > in quotes": () => tag`<a title="1 > 0" href="${script}">k</a>`,
  "a link to a script in capitals": () => tag`<a href="${"JaVaScRiPt:hacked=1"}">k</a>`,
  "a link to a script after blanks": () => tag`<a href="${" \t\njavascript:hacked=1"}">k</a>`,
  "a link to a script, a tab inside": () => tag`<a href="${"java\tscript:hacked=1"}">k</a>`,
  "a link to a script after a control": () => tag`<a href="${"\x01javascript:hacked=1"}">k</a>`,
  "a link to a script in parts": () => tag`<a href="java${"script:hacked=1"}">k</a>`,
  "a link to a script in values": () => tag`<a href="${"javascript"}${":hacked=1"}">k</a>`,
  "a link's scheme": () => tag`<a href="${"javascript"}:hacked=1">k</a>`,
  "a link's scheme before an entity": () => tag`<a href="${"javascript"}&colon;hacked=1">k</a>`,
  "a link's script": () => tag`<a href="javascript:${alert}">k</a>`,
  "a link's script after an entity": () => tag`<a href="javascript&#58;${alert}">k</a>`,
  "a link to data": () => tag`<a href="${"data:text/html,<script>hacked=1</script>"}">k</a>`,
  "a link to vbscript": () => tag`<a href="${"vbscript:hacked=1"}">k</a>`,
  "a link to a blob": () => tag`<a href="${"blob:https://a/b"}">k</a>`,
  "a link in SVG": () => tag`<svg><a xlink:href="${script}"><text y="20">k</text></a></svg>`,
  "what SVG sets": () =>
    tag`<svg><a><set attributeName="href" to="${script}"/><text y="20">k</text></a></svg>`,
  "what SVG sets, by name": () =>
    tag`<svg><a><set attributeName="${"href"}" to="javascript:hacked=1"/><text>k</text></a></svg>`,
  "what SVG animates to": () =>
    tag`<svg><a><animate attributeName="href" to="${script}"/><text y="20">k</text></a></svg>`,
  "what SVG animates from": () =>
    tag`<svg><a><animate attributeName="href" from="${script}"/><text>k</text></a></svg>`,
  "what SVG animates through": () =>
    tag`<svg><a><animate attributeName="href" values="${script};"/><text>k</text></a></svg>`,
  "what SVG uses": () => tag`<svg><use href="${svg}#a"/></svg>`,
  "a document in an iframe": () => tag`<iframe src="${svg}"></iframe>`,
  "an address in an iframe": () => tag`<iframe src="${"https://a.example"}"></iframe>`,
  "a document in an object": () => tag`<object data="${svg}"></object>`,
  "a document in an embed": () => tag`<embed src="${svg}">`,
  "a document in a frame": () => tag`<frame src="${svg}">`,
  "a parameter": () => tag`<object><param name="src" value="${svg}"></object>`,
  "a script's source": () => tag`<script src="${"data:text/javascript,hacked=1"}"></script>`,
  "a form's action": () => tag`<form action="${script}"><button>k</button></form>`,
  "a button's action": () => tag`<form><button formaction="${script}">k</button></form>`,
  "a refresh": () => tag`<meta http-equiv="refresh" content="${`0;url=${script}`}">`,
  "a base": () => tag`<base href="${"https://a.example/"}">`,
  "a style sheet's address": () => tag`<link rel="stylesheet" href="${"data:text/css,"}">`,
  "a picture of HTML": () => tag`<img src="${"data:text/html,<script>hacked=1</script>"}">`,
  "data for somebody's scripts": () => tag`<b data-commandlinker-command="${alert}">k</b>`,
  "HTML that ends in a tag": () => tag`<p>${tag`<img src="x" onerror="`}${alert}">`,
  "HTML that ends in a tag, in a list": () =>
    tag`<p>${[tag`<img src="x" onerror="`, alert, tag`">`]}</p>`,
  "HTML that ends in a script": () => tag`<p>${tag`<script>`}${alert}</script>`,
  "HTML in a script": () => tag`<script>${tag`${alert}`}</script>`,
};
