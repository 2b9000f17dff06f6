# SPDX-License-Identifier: GPL-2.0
#
# gnuplot -e "csv='results.csv'; dir='.'" plots.gp: the pictures of a run.  What
# was not measured has no picture, or no bar in it.

set datafile separator ","
set encoding utf8
font = "sans,11"
set border 3 lc rgb "#555555"
set tics nomirror out
set grid ytics lc rgb "#dddddd" lw 0.5
set key top left reverse Left samplen 1.5
set style fill solid 0.9 noborder
set boxwidth 0.9 relative
set bmargin 4

ours = "#1b6ca8"
peer = "#d1793b"
floor_ = "#9a9a9a"
light = "#8fbfe0"
light_peer = "#eec39f"

# Lines of the results that a condition of awk's holds for, if any.
rows(condition) = sprintf("awk -F, '!/^#/ && (%s)' %s", condition, csv)
has(condition) = int(system(rows(condition) . " | wc -l")) > 0
picture(name, w, h) = sprintf("set terminal svg size %d,%d font '%s' background rgb 'white' dynamic; set output '%s/%s.svg'", w, h, font, dir, name)

# A table with a line for each kernel, and a column for each allocator of a row.
one(row, init, who) = sprintf("v[k \",%s,%d,%s\"]", row, init, who)
by_kernel(row, init, names) = sprintf("awk -F, -v OFS=, '\
	BEGIN { nk = split(\"stock,next,slab,hard\", K, \",\"); \
		split(\"6.1\\\\nSLUB,6.12\\\\nSLUB,6.1\\\\nSLAB,7.3\\\\nsheaves\", T, \",\"); \
		n = split(\"%s\", who, \" \") } \
	$2 == %d && $4 \",\" $5 \",\" $6 == \"%s\" { v[$1, $7] = $8; have[$1] = 1 } \
	END { for (i = 1; i <= nk; i++) if (K[i] in have) { line = T[i]; \
		for (j = 1; j <= n; j++) line = line OFS v[K[i], who[j]]; print line } }' %s", \
	names, init, row, csv)

# ----------------------------------------------------------------- the hot pair
if (has("$4 == \"pair\" && $9 == \"insn\"")) {
	eval picture("pair", 900, 400)
	set multiplot layout 1,2 title "Allocate and free an object of 256 bytes"
	set style data histogram
	set style histogram clustered gap 1
	set yrange [0:*]
	set offsets 0, 0, graph 0.3, 0
	do for [init = 0:1] {
		set title sprintf("init\\_on\\_alloc=%d", init)
		set ylabel init ? "" : "instructions for a pair"
		data = by_kernel("pair,256,0", init, "floor mpslab kmem_cache")
		plot "< " . data using 2:xtic(1) title "bare per-CPU array" lc rgb floor_, \
			"" using 3 title "mpslab" lc rgb ours, \
			"" using 4 title "kmem\\_cache" lc rgb peer, \
			"" using ($0-0.25):2:(sprintf("%.0f", $2)) with labels offset 0,0.6 notitle, \
			"" using ($0):3:(sprintf("%.0f", $3)) with labels offset 0,0.6 notitle, \
			"" using ($0+0.25):4:(sprintf("%.0f", $4)) with labels offset 0,0.6 notitle
	}
	unset multiplot
}

# ---------------------------------------------------------------------- pools
if (has("$4 == \"pool\" && $9 == \"insn\"")) {
	eval picture("pool", 900, 400)
	set multiplot layout 1,2 title "A pair on a pool of 256-byte objects, init\\_on\\_alloc=0"
	set style data histogram
	do for [which = 0:1] {
		set title which ? "backend closed: all from the reserve" : "reserve full"
		set ylabel which ? "" : "instructions for a pair"
		data = by_kernel(which ? "reserve,256,16" : "pool,256,16", 0, "mpslab_pool mempool")
		plot "< " . data using 2:xtic(1) title "mpslab\\_pool" lc rgb ours, \
			"" using 3 title "mempool" lc rgb peer, \
			"" using ($0-0.166):2:(sprintf("%.0f", $2)) with labels offset 0,0.6 notitle, \
			"" using ($0+0.166):3:(sprintf("%.0f", $3)) with labels offset 0,0.6 notitle
	}
	unset multiplot
}

# ------------------------------------------------------ curves over burst and size
curve(k, init, w, who) = "< " . rows(sprintf("$1 == \"%s\" && $2 == %d && $4 == \"%s\" && $7 == \"%s\"", k, init, w, who))
set style data linespoints
set offsets 0, 0, 0, 0
set pointsize 0.7

kernel_title(k) = k eq "stock" ? "6.1 SLUB" : k eq "next" ? "6.12 SLUB" : k eq "slab" ? "6.1 SLAB" : k eq "hard" ? "7.3 sheaves" : "7.3 native, in ns"
burst_kernels = ""
do for [k in "stock slab hard native"] {
	if (has(sprintf("$1 == \"%s\" && $4 == \"burst\"", k))) { burst_kernels = burst_kernels . " " . k }
}
if (words(burst_kernels) > 0) {
	eval picture("burst", 140 + 260 * words(burst_kernels), 340)
	set multiplot layout 1,words(burst_kernels) title "Bursts: n objects of 256 bytes allocated, then freed; per pair"
	set logscale x 2
	set xtics (8, 32, 128, 1024)
	set xlabel "objects in a burst"
	set yrange [0:*]
	do for [k in burst_kernels] {
		set title kernel_title(k)
		set ylabel k eq word(burst_kernels, 1) ? "instructions" : ""
		plot curve(k, 0, "burst", "kmem_cache") using 6:8 title "kmem\\_cache" lc rgb peer pt 7 lw 2, \
			curve(k, 0, "burst", "mpslab") using 6:8 title "mpslab" lc rgb ours pt 7 lw 2, \
			curve(k, 0, "burst", "floor") using 6:8 title "bare array" lc rgb floor_ pt 7 lw 2
	}
	unset multiplot
	unset xlabel
	set xtics autofreq
	unset logscale x
}

if (has("$1 == \"stock\" && $4 == \"pair\"")) {
	eval picture("size", 900, 380)
	set multiplot layout 1,2 title "Allocate and free, over the object's size, 6.1 SLUB"
	set logscale x 2
	set logscale y 2
	set xtics (8, 32, 128, 512, 2048, 8192)
	set xrange [7:9500]
	set xlabel "bytes"
	set yrange [16:16384]
	do for [init = 0:1] {
		set title init ? "init\\_on\\_alloc=1 (zeroing counts each byte)" : "init\\_on\\_alloc=0"
		set ylabel init ? "" : "instructions for a pair"
		plot curve("stock", init, "pair", "kmem_cache") using 5:8 title "kmem\\_cache" lc rgb peer pt 7 lw 2, \
			curve("stock", init, "pair", "mpslab") using 5:8 title "mpslab" lc rgb ours pt 7 lw 2, \
			curve("stock", init, "pair", "floor") using 5:8 title "bare array" lc rgb floor_ pt 7 lw 2
	}
	unset multiplot
	unset logscale
	unset xlabel
	set xtics autofreq
	set xrange [*:*]
	set yrange [*:*]
}

# ------------------------------------------------- everything, relative to the peer
if (has("$4 == \"live\"")) {
	eval picture("workloads", 1000, 420)
	set title "mpslab's cost of each operation, as a share of the kernel's (256 bytes, init\\_on\\_alloc=0)"
	set style data histogram
	set style histogram clustered gap 1.5
	set ylabel "share: below 1 is less than the kernel's"
	set yrange [0:*]
	set offsets 0, 0, graph 0.05, 0
	set key top left
	share(k) = sprintf("< awk -F, -v OFS=, '\
		BEGIN { n = split(\"pair,256,0;softirq,256,0;burst,256,8;burst,256,32;burst,256,128;burst,256,1024;bulk,256,16;bulk,256,64;bulk,256,256;live,256,10000;pool,256,16;reserve,256,16\", R, \";\"); \
			split(\"pair;in\\\\nsoftirq;burst\\\\n8;burst\\\\n32;burst\\\\n128;burst\\\\n1024;bulk\\\\n16;bulk\\\\n64;bulk\\\\n256;live\\\\nset;pool;pool’s\\\\nreserve\", T, \";\") } \
		$1 == \"%s\" && $2 == 0 && $7 ~ /^mpslab/ { o[$4 \",\" $5 \",\" $6] = $8 } \
		$1 == \"%s\" && $2 == 0 && $7 ~ /^(kmem_cache|mempool)$/ { p[$4 \",\" $5 \",\" $6] = $8 } \
		END { for (i = 1; i <= n; i++) print T[i], p[R[i]] ? o[R[i]] / p[R[i]] : \"\" }' %s", k, k, csv)
	set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead lc rgb "#333333" dt 2 front
	plot share("stock") using 2:xtic(1) title "6.1 SLUB" lc rgb "#1b6ca8", \
		share("next") using 2 title "6.12 SLUB" lc rgb "#5fa8d3", \
		share("slab") using 2 title "6.1 SLAB" lc rgb "#62b089", \
		share("hard") using 2 title "7.3 sheaves" lc rgb "#e0a13c", \
		share("native") using 2 title "7.3 native (ns)" lc rgb "#b5523b"
	unset arrow 1
	set offsets 0, 0, 0, 0
}

# ----------------------------------------------------------------- longest wait
if (has("$4 == \"wait_longest\"")) {
	eval picture("wait", 900, 440)
	set multiplot layout 1,2 title "Threads that share the few elements of a pool whose backend is closed"
	set style data histogram
	set style histogram clustered gap 1
	set yrange [*:*]
	waits(what, elements) = sprintf("< awk -F, -v OFS=, '$4 == \"%s\" && $5 == %d { v[$6, $7] = $8 } END { split(\"8 32 128\", T, \" \"); for (i = 1; i <= 3; i++) print T[i], v[T[i], \"mpslab_pool\"], v[T[i], \"mempool\"] }' %s", what, elements, csv)
	set logscale y 10
	set title "the longest wait"
	set ylabel "milliseconds"
	set yrange [0.1:*]
	set xlabel "threads"
	set key top left
	set offsets 0, 0, graph 0.45, 0
	plot waits("wait_longest", 4) using ($2/1000):xtic(1) title "mpslab\\_pool, 4 elements" lc rgb ours, \
		waits("wait_longest", 1) using ($2/1000) title "mpslab\\_pool, 1 element" lc rgb light, \
		waits("wait_longest", 4) using ($3/1000) title "mempool, 4 elements" lc rgb peer, \
		waits("wait_longest", 1) using ($3/1000) title "mempool, 1 element" lc rgb light_peer
	unset logscale y
	set title "elements handed out"
	set ylabel "thousands per second"
	set yrange [0:*]
	plot waits("wait_served", 4) using ($2/1e3):xtic(1) title "mpslab\\_pool, 4 elements" lc rgb ours, \
		waits("wait_served", 1) using ($2/1e3) title "mpslab\\_pool, 1 element" lc rgb light, \
		waits("wait_served", 4) using ($3/1e3) title "mempool, 4 elements" lc rgb peer, \
		waits("wait_served", 1) using ($3/1e3) title "mempool, 1 element" lc rgb light_peer
	unset multiplot
	unset xlabel
	set key top left
	set offsets 0, 0, 0, 0
}

# ------------------------------------------------------------------------ pages
mem_kernels = ""
do for [k in "stock native"] {
	if (has(sprintf("$1 == \"%s\" && $4 == \"memory_live\"", k))) { mem_kernels = mem_kernels . " " . k }
}
if (words(mem_kernels) > 0) {
	eval picture("memory", 1000, 90 + 260 * words(mem_kernels))
	set multiplot layout words(mem_kernels),1 title "Pages held for many objects: mpslab above (+) or below (-) the kernel's caches"
	set style data histogram
	set style histogram clustered gap 1
	set ylabel "per cent"
	set yrange [*:*]
	set key below horizontal
	set bmargin 6
	pages(k) = sprintf("< awk -F, -v OFS=, '$1 == \"%s\" && $4 ~ /^memory_/ { v[$4, $5, $7] = $8; if (!($5 in s)) { s[$5] = 1; z[++n] = $5 } } function d(w, z) { return v[w, z, \"kmem_cache\"] ? 100 * (v[w, z, \"mpslab\"] / v[w, z, \"kmem_cache\"] - 1) : \"\" } END { for (i = 1; i <= n; i++) print z[i], d(\"memory_live\", z[i]), d(\"memory_after_free\", z[i]), d(\"memory_after_shrink\", z[i]) }' %s", k, csv)
	do for [k in mem_kernels] {
		set title k eq "native" ? "7.3 SLUB with sheaves" : kernel_title(k)
		if (k eq word(mem_kernels, words(mem_kernels))) { set xlabel "bytes of an object" }
		set xzeroaxis lt -1
		plot pages(k) using 2:xtic(1) title "all in use" lc rgb ours, \
			pages(k) using 3 title "95 % freed at random" lc rgb light, \
			pages(k) using 4 title "then shrunk" lc rgb floor_
	}
	unset multiplot
	unset xlabel
	unset xzeroaxis
	set bmargin 4
}

# ------------------------------------------------------------------ many CPUs
if (has("$4 ~ /^scale_.*_own_locks$/")) {
	eval picture("scale", 1000, 640)
	set multiplot layout 2,3 title "Up to 64 CPUs on four nodes, counted for a million pairs of 256 bytes"
	set style data linespoints
	set logscale x 2
	set xtics (1, 2, 4, 8, 16, 32, 64)
	set xlabel "CPUs"
	set xrange [0.9:72]
	set yrange [0:0.1<*]
	set offsets 0, 0, graph 0.6, 0
	set key inside top left vertical
	do for [what in "own_locks lines"] {
		do for [w in "pair burst ring"] {
			set title w eq "pair" ? "pairs" : w eq "burst" ? "bursts" : "freed on the next CPU"
			set ylabel w eq "pair" ? (what eq "own_locks" ? "own locks taken, thousands" : "cache lines moved, thousands") : ""
			row = "scale_" . w . "_" . what
			plot curve("stock", 0, row, "kmem_cache") using 6:($8/1000) title "6.1 SLUB" lc rgb peer pt 7 lw 2, \
				curve("hard", 0, row, "kmem_cache") using 6:($8/1000) title "7.3 sheaves" lc rgb "#8a4b9c" pt 7 lw 2, \
				curve("stock", 0, row, "mpslab") using 6:($8/1000) title "mpslab on 6.1" lc rgb ours pt 7 lw 2, \
				curve("hard", 0, row, "mpslab") using 6:($8/1000) title "mpslab on 7.3" lc rgb light pt 6 lw 2
		}
	}
	unset multiplot
	unset logscale
	unset xlabel
	set xrange [*:*]
	set xtics autofreq
	set offsets 0, 0, 0, 0
}

# ---------------------------------------------------------- interrupts off, locked
off_kernels = ""
do for [k in "stock hard"] {
	if (has(sprintf("$1 == \"%s\" && $4 ~ /^irqs_off_/", k))) { off_kernels = off_kernels . " " . k }
}
if (words(off_kernels) > 0) {
	eval picture("irqs_off", 600 * words(off_kernels), 420)
	set multiplot layout 1,words(off_kernels) title "The longest stretch of an operation with interrupts off"
	set style data histogram
	set style histogram clustered gap 1
	set logscale y 10
	set yrange [10:*]
	set xrange [*:*]
	set offsets 0, 0, graph 0.15, 0
	stretch(k) = sprintf("< awk -F, -v OFS=, '$1 == \"%s\" && $4 ~ /^irqs_off_/ { w = substr($4, 10); if (!(w in s)) { s[w] = 1; r[++n] = w } v[w, $7] = $8 } END { for (i = 1; i <= n; i++) { t = r[i]; sub(/_/, \"\\\\n\", t); print t, v[r[i], \"mpslab\"], v[r[i], \"kmem_cache\"] } }' %s", k, csv)
	do for [k in off_kernels] {
		set title kernel_title(k)
		set ylabel k eq word(off_kernels, 1) ? "instructions" : ""
		plot stretch(k) using 2:xtic(1) title "mpslab" lc rgb ours, \
			stretch(k) using 3 title "kmem\\_cache" lc rgb peer
	}
	unset multiplot
	unset logscale
}
