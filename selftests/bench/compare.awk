# SPDX-License-Identifier: GPL-2.0
#
# awk -f compare.awk BASELINE RESULTS: each figure against the baseline.  Fails if
# one of mpslab's, or of the harness, got worse by more than 3 %, or if any is
# missing.  The peers' are shown but not judged: they are not ours to mend, and
# differ by two instructions where the kernel puts free objects in random order.

BEGIN {
	FS = ","
	allowed = 3		# per cent
	slack = 0.05		# instructions; less is the call of an empty loop
}

/^#/ || /^kernel,/ { next }

{
	figure = $1 "," $2 "," $3 "," $4 "," $5 "," $6
	if (!(figure in known)) {
		known[figure] = 1
		figures[++nr] = figure
	}
}

FILENAME == ARGV[1] { was[figure, $7] = $8 + 0; next }
{ now[figure, $7] = $8 + 0; values++ }

function change(figure, name,	old) {
	old = was[figure, name]
	if (!((figure, name) in now))
		return "missing"
	if (!((figure, name) in was))
		return "new"
	if (now[figure, name] == old)
		return "="
	return sprintf("%+.1f %%", old ? 100 * (now[figure, name] - old) / old : 100)
}

function cell(figure, name) {
	return (figure, name) in now ? sprintf("%.1f", now[figure, name]) : "-"
}

function bad(figure, name,	old) {
	if (!((figure, name) in was))
		return 0
	if (!((figure, name) in now))
		return 1
	old = was[figure, name]
	return name !~ /^(kmem_cache|mempool)$/ &&
		now[figure, name] > old * (1 + allowed / 100) + slack
}

# Says what is bad of a line, also in figures that have no column for a change.
function judge(figure, f, name,	what) {
	if (!bad(figure, name))
		return
	what = "missing"
	if ((figure, name) in now)
		what = was[figure, name] " before, now " now[figure, name]
	worse[++nr_worse] = sprintf("%s init_on_alloc=%d size=%d n=%d %s: %s",
		f[4], f[2], f[5], f[6], name, what)
}

function line(figure,	f, ours, peer, ratio) {
	split(figure, f, ",")
	ours = "mpslab"
	peer = "kmem_cache"
	if ((figure, "mempool") in was || (figure, "mempool") in now) {
		ours = "mpslab_pool"
		peer = "mempool"
	}
	ratio = "-"
	if (((figure, ours) in now) && now[figure, peer])
		ratio = sprintf("%.2f", now[figure, ours] / now[figure, peer])
	printf form, f[4], f[2], f[5], f[6], cell(figure, "loop"),
		cell(figure, "floor"), cell(figure, ours), change(figure, ours),
		cell(figure, peer), change(figure, peer), ratio
	if (((figure, ours) in now) && now[figure, ours] < was[figure, ours] * (1 - allowed / 100))
		better++
	judge(figure, f, "loop")
	judge(figure, f, "floor")
	judge(figure, f, ours)
	judge(figure, f, peer)
}

END {
	form = "%-10s %4s %6s %6s %7s %7s %9s %9s %9s %9s %6s\n"
	printf form, "workload", "init", "size", "n", "loop", "floor", "mpslab",
		"change", "kernel's", "change", "ratio"
	for (i = 1; i <= nr; i++)
		line(figures[i])
	print ""
	for (i = 1; i <= nr_worse; i++)
		print "WORSE  " worse[i]
	if (!values)
		print "WORSE  nothing was measured"
	else if (!nr_worse)
		print "no figure is worse by more than " allowed " %"
	if (better && !nr_worse)
		print "better: " better "; make bench-quick ACCEPT=1 would hold that"
	exit nr_worse > 0 || !values
}
