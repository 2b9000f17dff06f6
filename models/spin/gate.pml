/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The gate of a CPU's arrays: fast_path.h, cpu_cache_enter() and cpu_cache_exit()
 * of slab_cache.c, cpu_cache_replace() of slab_setup.c.
 *
 * A CPU has a task, an interrupt and an NMI.  The interrupt may come before any
 * step of the task, the NMI before any step of both, and who was interrupted goes
 * on when they are done.  A step is one access to memory.  Each context goes to the
 * arrays once; a task also twice, and may move to another CPU while preemption is
 * on, even in between finding the arrays and using them, were it not off then.
 * One more task replaces the arrays.  That accesses are not moved out of the
 * section is the compiler's part, for which there is barrier(); GATE_LATE shows
 * what comes of it otherwise.
 *
 * What is asserted:
 *   - Nobody is in arrays in which somebody else is.
 *   - Nobody is in arrays that are being drained or are gone.
 *   - Whoever leaves leaves the gate as he found it.
 *   - In the end every gate is open, at its own limit, and no object is lost.
 */

#ifndef CPUS
#define CPUS		1
#endif
#ifndef TASKS
#define TASKS		1
#endif
#ifndef REPLACES
#define REPLACES	1	/* how often the arrays are replaced */
#endif
#ifndef INTERRUPTS
#define INTERRUPTS	2	/* on each CPU: an NMI too, or only an interrupt */
#endif
#define SETS		(REPLACES + 1)
#define LIMIT(s)	((s) + 1)

/* Levels: who of a CPU runs */
#define TASK		0
#define IRQ		1
#define NMI		2

/* struct cpu_cache */
typedef cpu_cache {
	byte gate;
	byte avail;
	byte inside;		/* contexts that are using the arrays */
	bool gone;		/* being drained, or freed */
};

cpu_cache set[SETS * CPUS];	/* of each CPU, in each set of arrays */
byte cpu;			/* cache->cpu: the set in use */
bool irq[CPUS], nmi[CPUS];	/* begun, and not done */
byte no_preempt[CPUS];		/* the task that keeps preemption off, plus one */
byte pushed;			/* objects brought to arrays */
byte drained;
byte left;			/* contexts that have done what they wanted */

#define cc(s, c)	set[(s) * CPUS + (c)]

/* May a context of @lvl on CPU @c do its next step? */
#define runs(c, lvl)							\
	((lvl == NMI || !nmi[c]) && (lvl != TASK || !irq[c]) &&		\
	 (lvl != TASK || no_preempt[c] == 0 || no_preempt[c] == me + 1))

/* cpu_cache_close(), ac_push(), cpu_cache_open(), as cpu_cache_push() does them. */
inline cpu_cache_push(lvl)
{
	atomic { runs(here, lvl) -> s = cpu }
	atomic { runs(here, lvl) -> gate = cc(s, here).gate }
#ifndef BUG_GATE_LATE
	atomic { runs(here, lvl) -> cc(s, here).gate = 0 }
#endif
	if
#ifdef BUG_GATE_UNREAD
	:: true ->
#else
	:: gate != 0 ->
#endif
		atomic {
			runs(here, lvl) ->
				assert(cc(s, here).inside == 0);
				assert(!cc(s, here).gone);
				cc(s, here).inside++;
				avail = cc(s, here).avail
		}
		if
		:: avail < gate ->
			/* @avail is written, then the entry. */
			atomic {
				runs(here, lvl) ->
					cc(s, here).avail = avail + 1;
					pushed++
			}
			atomic { runs(here, lvl) -> assert(!cc(s, here).gone) }
		:: else
		fi;
		atomic { runs(here, lvl) -> cc(s, here).inside-- }
	:: else
	fi;
#ifdef BUG_GATE_LATE
	atomic { runs(here, lvl) -> cc(s, here).gate = 0 }
#endif
	atomic {
		runs(here, lvl) ->
#ifdef BUG_LEFT_OPEN
			cc(s, here).gate = LIMIT(s);
#else
			cc(s, here).gate = gate;
#endif
			s = 0;
			gate = 0;
			avail = 0
	}
}

/* An interrupt, or an NMI: begins at any instruction of those below it. */
proctype interrupt(byte me; byte here; byte lvl)
{
	byte s, gate, avail, found[SETS];

	atomic {
		if
		:: lvl == IRQ && !nmi[here] -> irq[here] = true
		:: lvl == NMI -> nmi[here] = true
		fi;
		s = 0;
		do
		:: s < SETS -> found[s] = cc(s, here).gate; s++
		:: else -> break
		od;
		s = 0
	}
	cpu_cache_push(lvl);
	atomic {
		runs(here, lvl) ->
		do
		:: s < SETS ->
			assert(found[s] == cc(s, here).gate);
			found[s] = 0;
			s++
		:: else -> break
		od;
		s = 0;
		if
		:: lvl == IRQ -> irq[here] = false
		:: else -> nmi[here] = false
		fi;
		left++
	}
}

proctype task(byte me)
{
	byte s, gate, avail, here, rounds;

	here = me % CPUS;
	do
	:: rounds < 2 ->
		atomic {
			runs(here, TASK) && no_preempt[here] == 0 ->
				no_preempt[here] = me + 1
		}
#ifdef BUG_PREEMPTIBLE
		atomic { runs(here, TASK) -> no_preempt[here] = 0 }
#endif
		cpu_cache_push(TASK);
#ifndef BUG_PREEMPTIBLE
		atomic { runs(here, TASK) -> no_preempt[here] = 0 }
#endif
		rounds++;
		/* It moves, or not. */
		if
		:: here = (here + 1) % CPUS
		:: true
		fi
	:: else -> break
	od;
	left++
}

/* cpu_cache_replace() and cpu_cache_drain_dead() */
proctype replace()
{
	byte i, old, bits;

	do
	:: cpu < REPLACES ->
		d_step { old = cpu; cpu = cpu + 1 }
#ifndef BUG_NO_GRACE_PERIOD
		/*
		 * synchronize_rcu(): each CPU is seen once outside of interrupts
		 * and with preemption on.
		 */
		i = 0;
		do
		:: i < CPUS ->
			atomic {
				!irq[i] && !nmi[i] && no_preempt[i] == 0 -> i++
			}
		:: else -> break
		od;
#endif
		i = 0;
		do
		:: i < CPUS ->
			atomic {
				cc(old, i).gone = true;
				assert(cc(old, i).inside == 0);
				assert(cc(old, i).gate == LIMIT(old));
				drained = drained + cc(old, i).avail;
				i++
			}
		:: else -> break
		od
	:: else -> break
	od;
	left++
}

#define ALL_OF_THEM	(INTERRUPTS * CPUS + TASKS + 1)

init {
	byte i, sum;

	atomic {
		do
		:: i < SETS * CPUS -> set[i].gate = LIMIT(i / CPUS); i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < TASKS -> run task(i); i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < CPUS ->
			run interrupt(100, i, IRQ);
#if INTERRUPTS == 2
			run interrupt(100, i, NMI);
#endif
			i++
		:: else -> break
		od;
		run replace()
	}
	atomic {
		left == ALL_OF_THEM ->
		i = 0;
		sum = drained;
		do
		:: i < CPUS ->
			assert(cc(cpu, i).gate == LIMIT(cpu));
			sum = sum + cc(cpu, i).avail;
			i++
		:: else -> break
		od;
		assert(sum == pushed)
	}
}
