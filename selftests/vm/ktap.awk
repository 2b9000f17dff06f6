# SPDX-License-Identifier: GPL-2.0
#
# Count the leaf cases in KTAP, read from a kernel log or a script's output, and
# hold them against their plans.
#
#   awk -f ktap.awk -v totals=FILE [-v suites=N] LOG
#
# prints what failed and what was skipped, and writes "PASSED FAILED SKIPPED" to
# FILE.  A broken plan counts as a failure: a case that was planned and didn't
# report is one that failed.  The level of a line is its indentation; what else
# stands in the log is ignored.  Older kernels have a plan for the suites of their own
# only, which are none; so those of a module are N.

function name_of(text) {
	sub(/^(not )?ok [0-9]+ */, "", text)
	sub(/^- /, "", text)
	return text
}

function fail(text) {
	print "  FAIL  " text
	failed++
}

# Name the open levels down to this one, by what their subtest said it was.
function path(level, text,    i, p) {
	for (i = 1; i <= level; i++)
		if (title[i] != "")
			p = p title[i] ": "
	return p text
}

function open_level(level) {
	is_open[level] = 1
	plan[level] = seen[level] = bad[level] = 0
	planned[level] = 0
	if (level > deepest)
		deepest = level
}

# Close this level and any below it.  The level of parameters has a plan only
# where the kernel knows their number beforehand.
function close_level(level,    i) {
	for (i = deepest; i >= level; i--) {
		if (!is_open[i])
			continue
		is_open[i] = 0
		if (i == 0 && planned[i] && !plan[i] && seen[i])
			plan[i] = suites + 0
		if (!planned[i] && i < 2)
			fail(path(i, "no plan"))
		else if (planned[i] && plan[i] != seen[i])
			fail(path(i, "planned " plan[i] ", saw " seen[i]))
		title[i] = ""
	}
	deepest = level - 1
}

{
	sub(/\r$/, "")
	sub(/^\[ *[0-9]+\.[0-9]+\] ?/, "")
	match($0, /^ */)
	level = RLENGTH / 4
	text = substr($0, RLENGTH + 1)
	if (level != int(level))
		next
}

text ~ /^KTAP version [0-9]+$/ {
	close_level(level)
	open_level(level)
	next
}

text ~ /^1\.\.[0-9]+/ && is_open[level] {
	if (planned[level])
		fail(path(level, "a second plan: " text))
	planned[level] = 1
	plan[level] = substr(text, 4) + 0
	# A script that can't run here: "1..0 # SKIP why".
	if (sub(/^1\.\.0 # SKIP/, "", text))
		why_none = text
	next
}

# After the version line as KUnit has it, or before it.
text ~ /^# Subtest: / {
	title[level] = substr(text, 12)
	next
}

text ~ /^Bail out!/ && is_open[level] {
	fail(path(level, text))
	next
}

text ~ /^(not )?ok [0-9]+/ && is_open[level] {
	has_children = is_open[level + 1] && seen[level + 1]
	nested_bad = bad[level + 1]
	close_level(level + 1)
	result = name_of(text)
	number = text
	sub(/^(not )?ok /, "", number)
	if (number + 0 != ++seen[level])
		fail(path(level, result " is number " (number + 0) ", not " seen[level]))

	is_bad = text ~ /^not ok/
	is_skip = text ~ /# *SKIP/
	if (is_bad)
		bad[level]++
	if (has_children) {
		# Its cases were counted; the set-up or the exit may still have failed.
		if (is_bad && !nested_bad)
			fail(path(level, result))
		if (!is_bad && nested_bad)
			fail(path(level, result " claims success"))
	} else if (is_bad) {
		fail(path(level, result))
	} else if (is_skip) {
		print "  SKIP  " path(level, result) why_none
		skipped++
	} else if (level == 0) {
		fail(path(level, result ": no case in it"))
	} else {
		passed++
	}
	why_none = ""
}

END {
	if (deepest > 0)
		fail(path(deepest, "ended in the midst of it"))
	close_level(0)
	if (passed + failed + skipped == 0)
		fail("no case at all")
	print passed + 0, failed + 0, skipped + 0 >totals
}
