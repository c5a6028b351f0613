// Texts that do something where they are taken for more than text.
const IMAGE = "<img src=x onerror=window.__hit=1>";
const SCRIPT = '"><script>window.__hit=1</script>';
const LINK = "javascript:window.__hit=1";
const ATTRIBUTE = `" onmouseover="window.__hit=1" autofocus onfocus='window.__hit=1`;
const TEMPLATE = "${window.__hit=1}{{window.__hit=1}}<svg/onload=window.__hit=1><iframe srcdoc='<script>parent.__hit=1</script>'>";
const UNSEEN = "\u202Eevil\u202C\u200B\u200D\uFEFF\u2028\u0000\u0007"; // turned around, of no width, line and control characters

module.exports = { IMAGE, SCRIPT, LINK, ATTRIBUTE, TEMPLATE, UNSEEN, everything: [IMAGE, SCRIPT, LINK, ATTRIBUTE, TEMPLATE, UNSEEN, "__proto__", "constructor"] };
