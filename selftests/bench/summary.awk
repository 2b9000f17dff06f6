# SPDX-License-Identifier: GPL-2.0
#
# awk -f summary.awk RESULTS: what is to be reached and what is, then all figures
# of caches and pools side by side.

BEGIN {
	FS = ","
	nr_kernels = split("stock next slab hard native", kernels, " ")
	title["stock"] = "6.1 SLUB"
	title["next"] = "6.12 SLUB"
	title["slab"] = "6.1 SLAB"
	title["hard"] = "7.3 sheaves"
	title["native"] = "7.3, ns"
}

/^#/ || /^kernel,/ { next }

# One to one is measured on two CPUs; the run on more is for the others.
$4 == "ring" && $6 == 1 && $3 > 2 { next }

{
	key = $1 SUBSEP $2 SUBSEP $4 SUBSEP $5 SUBSEP $6 SUBSEP $7
	value[key] = $8 + 0
	seen[$1, $2] = 1
	if ($4 ~ /^memory_/)
		memory($1, $4, $5, $7, $8)
	if ($4 ~ /^scale_.*_own_locks$/)
		scale($1, $4, $7, $6 + 0, $8 + 0)
	if ($4 ~ /^irqs_off_/)
		stretch($1, $4, $7, $8 + 0)
	figure = $4 SUBSEP $5 SUBSEP $6 SUBSEP $2
	if ($9 ~ /^(insn|ns)$/ && $3 <= 2 && ($4 !~ /_/ || $4 ~ /^debug_/) && !(figure in known)) {
		known[figure] = 1
		figures[++nr_figures] = figure
	}
}

function memory(kernel, state, size, who, pages) {
	mem[kernel, state, size, who] = pages
	mem_sum[kernel, who] += pages
	if (!((kernel, state, size) in mem_known)) {
		mem_known[kernel, state, size] = 1
		mem_rows[++nr_mem] = kernel SUBSEP state SUBSEP size
	}
}

function scale(kernel, what, who, cpus, count) {
	if (count > scale_most[kernel, what, who])
		scale_most[kernel, what, who] = count
	if (who != "mpslab")
		return
	if (!((kernel, what) in scale_first)) {
		scale_first[kernel, what] = count
		scale_rows[++nr_scale] = kernel SUBSEP what
	}
	scale_cpus[kernel, what] = cpus
}

# The longest of a burst is a batch; that of a cache with much in it is to be no
# more than that, or little.
function stretch(kernel, what, who, insns) {
	if (what ~ /_(pair|burst)$/) {
		if (insns > off_batch[kernel, who])
			off_batch[kernel, who] = insns
	} else if (insns > off_most[kernel, who]) {
		off_most[kernel, who] = insns
	}
	off_known[kernel] = 1
}

function number(x) {
	if (x >= 100000)
		return sprintf("%.0f", x)
	return sprintf("%.1f", x)
}

function quotient(a, b) {
	return b ? sprintf("%.2f", a / b) : "-"
}

function answer(figure, where, peer, ours, ratio, goal, reached) {
	printf "%-38s %-11s %11s %11s %6s  %-22s %s\n", figure, where, peer, ours, ratio,
		goal, reached
	verdicts[reached]++
}

# goal(FIGURE, KERNEL, ROW, OURS, PEER, WORD, LIMIT): WORD says what of: "at most"
# ours, "ratio at most", "ratio at least".
function goal(figure, kernel, row, ours, peer, word, limit,	a, b, ratio, ok) {
	gsub(",", SUBSEP, row)
	a = kernel SUBSEP 0 SUBSEP row SUBSEP ours
	b = kernel SUBSEP 0 SUBSEP row SUBSEP peer
	if (!(a in value) || !(b in value)) {
		answer(figure, title[kernel], "-", "-", "-", word " " limit, "not measured")
		return
	}
	ratio = value[a] / value[b]
	if (word == "at most")
		ok = value[a] < limit + 0.5	# the calls of the loop are in it
	else if (word == "ratio at most")
		ok = ratio <= limit
	else
		ok = ratio >= limit
	answer(figure, title[kernel], number(value[b]), number(value[a]),
		sprintf("%.2f", ratio), word " " limit, ok ? "yes" : "NO")
}

function memory_goals(	i, f, ratio, worst, place, kernel, sum) {
	for (i = 1; i <= nr_mem; i++) {
		split(mem_rows[i], f, SUBSEP)
		if (mem[mem_rows[i], "kmem_cache"] == 0)
			continue
		ratio = mem[mem_rows[i], "mpslab"] / mem[mem_rows[i], "kmem_cache"]
		if (!(f[1] in worst) || ratio > worst[f[1]]) {
			worst[f[1]] = ratio
			place[f[1]] = f[2] ", " f[3]
			sub("memory_", "", place[f[1]])
		}
	}
	if (!nr_mem)
		answer("pages held", "", "-", "-", "-", "ratio at most 1.02", "not measured")
	for (i = 1; i <= nr_kernels; i++) {
		kernel = kernels[i]
		if (!(kernel in worst))
			continue
		answer("pages, worst (" place[kernel] ")", title[kernel], "", "",
			sprintf("%.3f", worst[kernel]), "ratio at most 1.02",
			worst[kernel] <= 1.02 ? "yes" : "NO")
		sum = mem_sum[kernel, "mpslab"] / mem_sum[kernel, "kmem_cache"]
		answer("pages, sum of all", title[kernel], number(mem_sum[kernel, "kmem_cache"]),
			number(mem_sum[kernel, "mpslab"]), sprintf("%.3f", sum),
			"ratio below 1", sum < 1 ? "yes" : "NO")
	}
}

# Flat: no more than a tenth, or than a hundred in a million, above one CPU's.
function scale_goals(	i, f, first, most, peer, name) {
	if (!nr_scale)
		answer("own locks per million pairs", "", "-", "-", "-", "flat",
			"not measured")
	for (i = 1; i <= nr_scale; i++) {
		split(scale_rows[i], f, SUBSEP)
		first = scale_first[scale_rows[i]]
		most = scale_most[scale_rows[i], "mpslab"] + 0
		peer = scale_most[scale_rows[i], "kmem_cache"] + 0
		name = f[2]
		gsub(/scale_|_own_locks/, "", name)
		answer("own locks per million, " name ", " scale_cpus[scale_rows[i]] " CPUs",
			title[f[1]], number(peer), number(most), quotient(most, peer),
			sprintf("flat from %.0f", first),
			most <= first * 1.1 + 100 ? "yes" : "NO")
	}
}

function stretch_goals(	kernel, i, most, batch) {
	for (i = 1; i <= nr_kernels; i++) {
		kernel = kernels[i]
		if (!(kernel in off_known))
			continue
		batch = off_batch[kernel, "mpslab"] + 0
		most = off_most[kernel, "mpslab"] + 0
		if (most < batch)
			most = batch
		answer("interrupts off, longest", title[kernel],
			number(off_most[kernel, "kmem_cache"]), number(most),
			quotient(most, off_most[kernel, "kmem_cache"]),
			sprintf("twice a burst's %.0f", batch),
			most <= 2 * batch ? "yes" : "NO")
	}
	if (!length_of(off_known))
		answer("interrupts off, longest", "", "-", "-", "-", "one batch",
			"not measured")
}

function length_of(array,	i, n) {
	for (i in array)
		n++
	return n + 0
}

function goals(	i) {
	printf "%-38s %-11s %11s %11s %6s  %-22s %s\n", "figure", "kernel", "peer", "mpslab",
		"ratio", "to reach", "reached"
	goal("hot pair, instructions", "stock", "pair,256,0", "mpslab", "kmem_cache", "at most", 56)
	goal("hot pair, instructions", "hard", "pair,256,0", "mpslab", "kmem_cache", "at most", 56)
	goal("pool pair, reserve full, instructions", "stock", "pool,256,16", "mpslab_pool",
		"mempool", "at most", 76)
	goal("pool pair, reserve full, instructions", "hard", "pool,256,16", "mpslab_pool",
		"mempool", "at most", 76)
	goal("hot pair", "native", "pair,256,0", "mpslab", "kmem_cache", "ratio at most", 0.2)
	for (i = 1; i <= nr_kernels; i++)
		goal("burst of 128", kernels[i], "burst,256,128", "mpslab", "kmem_cache",
			"ratio at most", 0.5)
	for (i = 1; i <= nr_kernels; i++)
		goal("live set of 10,000", kernels[i], "live,256,10000", "mpslab", "kmem_cache",
			"ratio at most", 0.5)
	for (i = 1; i <= nr_kernels; i++)
		goal("bulk of 64, per object", kernels[i], "bulk,256,64", "mpslab", "kmem_cache",
			"ratio at most", 0.5)
	goal("alloc here, free there, pairs/s", "native", "ring,256,1", "mpslab", "kmem_cache",
		"ratio at least", 2)
	goal("32 threads on 4, longest wait, us", "native", "wait_longest,4,32",
		"mpslab_pool", "mempool", "ratio at most", 0.05)
	goal("32 threads on 4, hand-overs/s", "native", "wait_served,4,32",
		"mpslab_pool", "mempool", "ratio at least", 1)
	scale_goals()
	memory_goals()
	stretch_goals()
}

function side(figure, kernel,	f, k, ours, peer, a, b) {
	split(figure, f, SUBSEP)
	k = kernel SUBSEP f[4] SUBSEP f[1] SUBSEP f[2] SUBSEP f[3]
	ours = (f[1] ~ /^(pool|reserve)$/) ? "mpslab_pool" : "mpslab"
	peer = (f[1] ~ /^(pool|reserve)$/) ? "mempool" : "kmem_cache"
	a = k SUBSEP ours
	b = k SUBSEP peer
	if (!(a in value) || !value[b])
		return "-"
	return sprintf("%.0f/%.0f %.2f", value[a], value[b], value[a] / value[b])
}

function all_figures(init,	i, k, f) {
	printf "\n\nAll of one CPU, init_on_alloc=%d: mpslab/kernel's, ratio\n\n", init
	printf "%-10s %5s %5s", "workload", "size", "n"
	for (k = 1; k <= nr_kernels; k++)
		if ((kernels[k], init) in seen)
			printf " %15s", title[kernels[k]]
	print ""
	for (i = 1; i <= nr_figures; i++) {
		split(figures[i], f, SUBSEP)
		if (f[4] != init)
			continue
		printf "%-10s %5s %5s", f[1], f[2], f[3]
		for (k = 1; k <= nr_kernels; k++)
			if ((kernels[k], init) in seen)
				printf " %15s", side(figures[i], kernels[k])
		print ""
	}
}

END {
	goals()
	printf "\nreached: %d, not: %d, not measured: %d\n", verdicts["yes"], verdicts["NO"],
		verdicts["not measured"]
	all_figures(0)
	all_figures(1)
}
