"""The report's pages as Jinja templates; `report.py` fills them. They need nothing from elsewhere."""

from __future__ import annotations

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{% block title %}{% endblock %}</title>
<style>
:root {
  --text: #1d232b; --soft: #5b6673; --line: #d9dee4; --page: #fff; --panel: #f4f6f8; --mark: #3a76af;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e3e7ec; --soft: #9aa6b3; --line: #39424d; --page: #15191e; --panel: #1e242b; --mark: #7fb2e5;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.25rem 4rem;
  background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
}
h1 { margin: 0 0 .25rem; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 2.75rem 0 .5rem; font-size: 1.2rem; }
h3 { margin: 1.5rem 0 0; font-size: 1rem; }
p { margin: .5rem 0; max-width: 44rem; }
.soft { color: var(--soft); }
.lead { font-size: 1.15rem; }
a { color: var(--mark); }
.scroll { overflow-x: auto; }
table { width: 100%; margin: .5rem 0 0; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td {
  padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top;
}
th { color: var(--soft); font-weight: 600; font-size: .875rem; }
td.number, th.number { text-align: right; white-space: nowrap; }
.slices { min-width: 40rem; table-layout: fixed; }
.slices th:first-child { width: 26%; }
.slices th:nth-child(4) { width: 24%; }
.slices td { overflow-wrap: anywhere; }
.pictures { columns: 19rem; column-gap: 1rem; margin-top: 1rem; }
img {
  display: block; width: 100%; height: auto; margin-bottom: 1rem;
  border: 1px solid var(--line); border-radius: .4rem; background: #fff;
}
article { margin: 1rem 0; padding: .75rem 1rem; border-radius: .4rem; background: var(--panel); }
article p { max-width: none; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
summary { cursor: pointer; }
details[open] .start { display: none; }
</style>
</head>
<body>
{% block body %}{% endblock %}
</body>
</html>
"""
INDEX = """\
{% extends "page" %}
{% block title %}{{ of.dataset }}: {{ of.arch }}{% endblock %}
{% block body %}
<h1>{{ of.dataset }}: {{ of.arch }}</h1>
<p class="soft">Sentiment of the test split's {{ "{:,}".format(metrics.rows) }} texts; a score of
{{ of.threshold }} or more is positive.</p>
<p class="lead"><strong>{{ metrics.accuracy | percent }}</strong> of them are labelled rightly
(95&nbsp;% interval {{ metrics.accuracy_low | percent }} to {{ metrics.accuracy_high | percent }}):
{{ verdict }}.</p>

<h2>Metrics</h2>
<div class="scroll"><table>
{% for name, value, meaning in told %}
<tr><td>{{ name }}</td><td class="number">{{ "%.4f" | format(value) }}</td>
<td class="soft">{{ meaning }}</td></tr>
{% endfor %}
</table></div>

<h2>Beside the baseline</h2>
<p>{{ of.baseline }}, a linear model over word n-grams, labels {{ metrics.baseline_accuracy | percent }} of
the same texts rightly. The interval of the difference is one of paired proportions (Agresti &amp; Min 2005),
p is that of McNemar's exact test; 0.05 or more is no evidence of a difference.</p>

<h2>Calibration</h2>
{% if metrics.temperature == 1 %}
<p>Scores are the model's own. A score differs from the share of positives by
{{ (100 * metrics.calibration_error) | round(1) }} points on average.</p>
{% else %}
<p>As the model gives them, scores differ from the share of positives by
{{ (100 * metrics.calibration_error_before) | round(1) }} points on average; after temperature scaling
(Guo et al. 2017), by {{ (100 * metrics.calibration_error) | round(1) }}. The temperature, fitted on the
validation split, is {{ metrics.temperature | round(3) }}: the model was
{{ "too sure" if metrics.temperature > 1 else "not sure enough" }}. Every other figure here is of calibrated
scores, and so is what the served model gives.</p>
{% endif %}

<h2>Where it fails</h2>
<p>Accuracy on parts of the test split, with the baseline's on the same texts. Small groups have wide
intervals. The <a href="mistakes.html">most confident mistakes</a> can be read.</p>
{% for name, meaning, groups in slices %}
<h3>{{ name | capitalize }}</h3>
{% if meaning %}<p class="soft">{{ meaning }}</p>{% endif %}
<div class="scroll"><table class="slices">
<tr><th>group</th><th class="number">texts</th><th class="number">accuracy</th>
<th class="number">95&nbsp;% interval</th><th class="number">{{ of.baseline }}</th>
<th class="number">gain</th></tr>
{% for group in groups %}
<tr><td>{{ group.group }}</td><td class="number">{{ "{:,}".format(group.rows) }}</td>
<td class="number">{{ group.accuracy | percent }}</td>
<td class="number">{{ group.accuracy_low | percent }} to {{ group.accuracy_high | percent }}</td>
<td class="number">{{ group.baseline_accuracy | percent }}</td>
<td class="number">{{ "%+.1f" | format(100 * (group.accuracy - group.baseline_accuracy)) }}</td></tr>
{% endfor %}
</table></div>
{% endfor %}

<h2>Pictures</h2>
<div class="pictures">
{% for name, address in pictures %}
<img src="{{ address }}" alt="{{ name }}">
{% endfor %}
</div>

<h2>The data</h2>
<div class="scroll"><table>
<tr><th></th>{% for split in data.rows %}<th class="number">{{ split }}</th>{% endfor %}</tr>
{% for name, counts in facts %}
<tr><td>{{ name }}</td>{% for split in data.rows %}<td class="number">
{{- "{:,}".format(counts[split]) if split in counts else "" }}</td>{% endfor %}</tr>
{% endfor %}
</table></div>
<p>Leaks: {{ "{:,}".format(data.removed_from_train.also_in_test) }} training texts that also stand in test,
and {{ "{:,}".format(data.removed_from_train.also_in_validation) }} that also stand in validation, were
removed from train. Texts that differ as they come and are alike only when cleaned are other people's, and
stay.</p>
{% if of.emoticons == "keep" %}
<p><strong>Cleaning keeps emoticons.</strong> Where texts were collected by them, as in twitter_samples, they
are the labels themselves: the model reads the answer, and these figures say nothing of texts without
emoticons.</p>
{% endif %}
{% endblock %}
"""
MISTAKES = """\
{% extends "page" %}
{% block title %}{{ of.dataset }}: {{ of.arch }}, mistakes{% endblock %}
{% block body %}
<h1>The most confident mistakes</h1>
<p class="soft"><a href="index.html">{{ of.dataset }}: {{ of.arch }}</a>. A score is the probability of
positive; the farthest from the truth come first. Texts are shown as the dataset has them.</p>
{% for mistake in mistakes %}
<article>
<p class="soft">{{ loop.index }}. <strong>{{ mistake.label }}</strong>,
scored {{ "%.3f" | format(mistake.score) }};
{{ of.baseline }}: {{ "%.3f" | format(mistake.baseline_score) }}</p>
{% if mistake.text | length > folded %}
<details class="text"><summary>Whole text<span class="start">: {{ mistake.text[:folded] }}…</span></summary>
{{- mistake.text }}</details>
{% else %}
<p class="text">{{ mistake.text }}</p>
{% endif %}
</article>
{% else %}
<p>None are listed.</p>
{% endfor %}
{% endblock %}
"""
