import { describe, expect, it } from "vitest";
import { join, type Markup, markup, markupText } from "./markup.js";

describe("markup", () => {
  it("escapes what is inserted, for text and attributes", () => {
    const outside = `<script>"a" & 'b'</script>`;
    expect(markupText(markup`<p title="${outside}">${outside}</p>`)).toBe(
      '<p title="&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;">&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;</p>',
    );
  });

  it("takes templates and lists of them as they are", () => {
    const items = ["a", "<b>"].map((item) => markup`<li>${item}</li>`);
    expect(markupText(markup`<ul>${items}</ul>`)).toBe("<ul><li>a</li><li>&lt;b&gt;</li></ul>");
    expect(markupText(join(items))).toBe("<li>a</li><li>&lt;b&gt;</li>");
  });

  it("does not take an object from a file for a template", () => {
    const forged = JSON.parse('{"verbatim": "<script>", "Symbol(verbatim)": "<script>"}') as Markup;
    expect(markupText(markup`${forged}`)).not.toContain("<");
  });

  it("leaves out nothing but undefined and false", () => {
    expect(markupText(markup`${undefined}${false}${0}${""}`)).toBe("0");
  });

  it("writes coordinates with at most two decimals", () => {
    expect(markupText(markup`${1 / 3} ${2} ${-1e-9} ${12.345}`)).toBe("0.33 2 0 12.35");
  });

  it("replaces characters that XML forbids", () => {
    expect(markupText(markup`${"a\u0000b\u001bc\nd\t"}`)).toBe("a\ufffdb\ufffdc\nd\t");
  });
});
