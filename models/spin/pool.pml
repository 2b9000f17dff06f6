/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pool's waiters: mempool_wait.c, and what of mempool_core.c they depend on.
 * An inline models the function of its name.
 *
 * Left out: statistics; the order of memory accesses, which is the litmus tests'
 * part; the second question to backend and reserve before waiting, which is but
 * another allocation.  SERVE_BATCH and PASSES are 1 and 2, to see what happens
 * beyond.  The clock makes waiters overdue, and passes old, whenever it likes.
 *
 * What is asserted:
 *   - An element, which is one bit, is never with two clients, and never twice
 *     with the backend.
 *   - Who touches a waiter's struct finds the waiter there.
 *   - (1) and (2) of mempool_wait.c hold whenever the lock is let go.
 *   - Nobody who is overdue is overtaken more than PASSES times (FAIR).
 *   - When all is freed and nobody is in a call, no element is lost, and the
 *     reserve is full.
 *   - Not all sleep (no invalid end state).
 * What should happen eventually: whoever waits is served (`served'), if everybody
 * who can go on does (weak fairness) and nobody is woken for no reason.
 *
 * FINE: the lock is a word, and every access under it is a step.  Otherwise a hold
 * of the lock is one step; that makes the lock fair, as the kernel's is.
 */

#ifndef MIN
#define MIN		1	/* elements in the reserve */
#endif
#ifndef GROWN
#define GROWN		MIN	/* the same when it has grown */
#endif
#ifndef SPARE
#define SPARE		0	/* elements that the backend has at first */
#endif
#ifndef SINGLES
#define SINGLES		0	/* clients who want one element, and may sleep */
#endif
#ifndef BULKS
#define BULKS		0	/* clients who want two */
#endif
#ifndef ATOMICS
#define ATOMICS		0	/* clients who want one, and may not sleep */
#endif
#ifndef WHO
#define WHO		0	/* the client of `served' */
#endif

#define CLIENTS		(SINGLES + BULKS + ATOMICS)
#define ELEMENTS	(MIN + SPARE)
#define ALL		((1 << ELEMENTS) - 1)
#define SERVE_BATCH	1
#define PASSES		2
#define NOBODY		CLIENTS

/* The lowest bit of @set, which has no more than four. */
#define lowest(set)	((set & 1) -> 1 : ((set & 2) -> 2 : ((set & 4) -> 4 : 8)))

/* ---------------------------------------------------------------------- data */

/* struct mpslab_pool */
byte elements[ELEMENTS];
byte curr_nr;
byte min_nr = MIN;
short missing;
byte nr_waiters;
byte bulk_waiters;
byte passes;
bool passes_old;		/* passes_jiffies is not now */
byte queue[CLIENTS];		/* the waiters, first the first */

/* struct pool_waiter, on the stacks of those who wait */
typedef pool_waiter {
	bool alive;
	byte elems;
	byte wanted;
	byte got;
	bool woken;
	bool overdue;		/* since is long ago */
	byte late;		/* how often overtaken when overdue */
};

pool_waiter waiter[CLIENTS];
bool sleeping[CLIENTS];		/* the tasks' state */

byte backend = ALL & ~((1 << MIN) - 1);
byte out;			/* elements in clients' hands */
byte busy;			/* processes in a call, or with elements */
bool waiting[CLIENTS];
byte joining;			/* bulk waiters between two holds of the lock */
byte deciding;			/* bulk clients who rely on the min_nr they saw */

#define W(i)		waiter[i]
#define touch(i)	assert(waiter[i].alive)
#define is_bulk(i)	(W(i).wanted > 1)
#define first_waiter	(nr_waiters > 0 -> queue[0] : NOBODY)
#define has_pass	(passes > 0 && !passes_old)

/* ---------------------------------------------------------------------- lock */

inline check_unlocked()
{
#ifdef UNCHECKED
	skip
#else
	assert(bulk_waiters == joining || curr_nr == 0);
	assert(curr_nr == 0 || nr_waiters == 0 || waiter[queue[0]].woken)
#endif
}

#ifdef FINE
bool locked;
#define hold
inline lock()
{
	atomic { !locked -> locked = true }
}
inline lock_to_shrink(nr)
{
	atomic { !locked && deciding == 0 -> locked = true; set_min_nr(nr) }
}
inline unlock()
{
	atomic { check_unlocked(); locked = false }
}
#define relock		unlock(); lock()
#else
#define hold		atomic
#define lock()		skip
#define lock_to_shrink(nr)	deciding == 0 -> set_min_nr(nr)
#define unlock()	check_unlocked()
#define relock		check_unlocked()
#endif

/* ------------------------------------------------------------ mempool_wait.c */

inline wake_up_process(i)
{
	sleeping[i] = false
}

inline renew_passes(w)
{
	d_step {
		passes = ((bulk_waiters == 0 && !W(w).overdue) -> PASSES : 0);
		passes_old = false
	}
}

inline may_be_overtaken(w)
{
	if
	:: !has_pass -> renew_passes(w)
	:: else
	fi;
#ifdef BUG_NEVER_OVERDUE
	may = bulk_waiters == 0
#else
	may = passes > 0
#endif
}

inline pool_wake_first()
{
	d_step {
		if
		:: nr_waiters > 0 && !W(queue[0]).woken && curr_nr > 0 ->
			touch(queue[0]);
			W(queue[0]).woken = true;
			wake_up_process(queue[0])
		:: else
		fi
	}
}

inline enqueue(w)
{
	d_step {
		queue[nr_waiters] = w;
		nr_waiters++
	}
}

inline dequeue(w)
{
	d_step {
		touch(w);
		pos = 0;
		do
		:: queue[pos] != w -> pos++
		:: else -> break
		od;
		do
		:: pos + 1 < nr_waiters ->
			queue[pos] = queue[pos + 1];
			pos++
		:: else -> break
		od;
		nr_waiters--;
		queue[nr_waiters] = 0;
		pos = 0;
		if
		:: is_bulk(w) -> bulk_waiters--
		:: else
		fi
	}
#ifndef BUG_NEXT_NOT_WOKEN
	pool_wake_first()
#endif
}

/* mempool_core.c; up to @count elements to @to, of whom there are @nr */
inline pool_take_reserve(to, nr, count)
{
	do
	:: nr < count && curr_nr > 0 ->
		remove_element();
		d_step {
			assert((to & elem) == 0);
			to = to | elem;
			elem = 0;
			nr++
		}
	:: else -> break
	od
}

/* @all says whether that is all he wants. */
inline serve_from_reserve(w, all)
{
	touch(w);
	pool_take_reserve(W(w).elems, W(w).got, W(w).wanted);
	all = W(w).got == W(w).wanted;
	if
	:: all -> dequeue(w)
	:: else
	fi
}

inline serve_overdue()
{
	batch = SERVE_BATCH;
	ok = true;
	do
	:: curr_nr > 0 && nr_waiters > 0 ->
		first = queue[0];
		may_be_overtaken(first);
		if
		:: may -> break
		:: !may && batch == 0 -> ok = false; break
		:: else -> batch--
		fi;
		serve_from_reserve(first, may);
		if
		:: may -> touch(first); wake_up_process(first)
		:: else
		fi
	:: else -> break
	od;
	atomic { batch = 0; first = 0; may = false }
}

inline pool_admit(count)
{
	if
	:: curr_nr >= count && has_pass -> passes--; ok = true
	:: else ->
		serve_overdue();
		ok = ok && curr_nr >= count;
		if
		:: ok && nr_waiters > 0 -> passes--
		:: else
		fi
	fi
}

inline pool_hand_over()
{
	ok = false;
	if
	:: !(room && has_pass) && nr_waiters > 0 ->
		first = queue[0];
		if
		:: room -> may_be_overtaken(first)
		:: else
		fi;
#ifdef BUG_ALWAYS_RESERVE
		may = room;
#endif
		if
		:: !may ->
			d_step {
				touch(first);
				assert((W(first).elems & elem) == 0);
				W(first).elems = W(first).elems | elem;
				W(first).got++;
				elem = 0
			}
			if
			:: W(first).got == W(first).wanted ->
				dequeue(first);
#ifndef BUG_NOT_WOKEN
				touch(first);
				wake_up_process(first)
#endif
			:: else
			fi;
			ok = true
		:: else
		fi;
		d_step { first = 0; may = false }
	:: else
	fi
}

/* ------------------------------------------------------------ mempool_core.c */

inline add_element()
{
	elements[curr_nr] = elem;
	curr_nr++;
	missing--;
	elem = 0
}

inline remove_element()
{
	curr_nr--;
	missing++;
	elem = elements[curr_nr];
	elements[curr_nr] = 0
}

inline set_min_nr(nr)
{
	min_nr = nr;
	missing = nr - curr_nr
}

/* Keeps @elem, unless the pool has no use for it. */
inline keep_element()
{
	room = missing > 0;
	ok = false;
	if
	:: nr_waiters > 0 -> pool_hand_over()
	:: else
	fi;
	if
	:: !ok && room ->
		add_element();
#ifndef BUG_FIRST_NOT_WOKEN
		pool_wake_first()
#endif
	:: else
	fi;
	d_step { room = false; ok = false }
}

inline to_backend()
{
	d_step {
		assert((backend & elem) == 0);
		backend = backend | elem;
		elem = 0
	}
}

/* The backend's alloc(), which may have nothing at any time. */
inline take_backend()
{
	if
	:: d_step {
		backend ->
			elem = lowest(backend);
			backend = backend & ~elem
	}
	:: true
	fi
}

inline reserve_is_full()
{
#ifdef BUG_TWO_WORDS
	min = min_nr;
	ok = curr_nr >= min;
	min = 0
#else
	ok = missing <= 0
#endif
}

/* mpslab_pool_free() of @elem; return_one() */
inline pool_free()
{
	d_step {
		assert((out & elem) == elem);
		out = out & ~elem
	}
	reserve_is_full();
	if
	:: !ok -> hold { lock(); keep_element(); unlock() }
	:: else -> ok = false
	fi;
	if
	:: elem -> to_backend()
	:: else
	fi
}

/* mpslab_pool_free_bulk() of @mine, the rest to the backend; return_elements() */
inline pool_free_bulk()
{
	d_step {
		assert((out & mine) == mine);
		out = out & ~mine
	}
	reserve_is_full();
	if
	:: !ok ->
		hold {
			lock();
			do
			:: mine != 0 && elem == 0 ->
				d_step {
					elem = lowest(mine);
					mine = mine & ~elem
				}
				keep_element()
			:: else -> break
			od;
			unlock()
		}
	:: else -> ok = false
	fi;
	d_step {
		assert((backend & (mine | elem)) == 0);
		backend = backend | mine | elem;
		mine = 0;
		elem = 0
	}
}

/* -------------------------------------------------- mempool_wait.c, waiting */

/* @ask says in the end whether the backend had an element. */
inline ask_backend(w)
{
	take_backend();
	ask = elem != 0;
	if
	:: ask ->
		hold {
			lock();
			if
			:: W(w).got < W(w).wanted ->
				d_step {
					W(w).elems = W(w).elems | elem;
					W(w).got++;
					elem = 0
				}
				if
				:: W(w).got == W(w).wanted -> dequeue(w)
				:: else
				fi
			:: else
			fi;
			unlock()
		}
		if
		:: elem -> out = out | elem; pool_free()
		:: else
		fi
	:: else
	fi
}

inline join_as_bulk(w)
{
	bulk_waiters++;
	joining++;
	passes = 0;
	serve_overdue();
	do
	:: !ok -> relock; serve_overdue()
	:: else -> break
	od;
	pool_take_reserve(W(w).elems, W(w).got, W(w).wanted);
	joining--;
	deciding--;
	if
	:: W(w).got < W(w).wanted -> enqueue(w)
	:: else -> bulk_waiters--
	fi
}

inline join(w)
{
	if
	:: is_bulk(w) -> join_as_bulk(w)
	:: else ->
		pool_admit(1);
		if
		:: ok -> pool_take_reserve(W(w).elems, W(w).got, 1)
		:: else -> enqueue(w)
		fi
	fi;
	ok = false
}

inline look(w)
{
	W(w).woken = false;
	if
	:: W(w).got == W(w).wanted
	:: else ->
		if
		:: first_waiter == w -> serve_from_reserve(w, ok)
		:: else -> serve_overdue()
		fi
	fi;
	ok = false
}

/* Clients below QUIT, and bulk clients, may be killed, or find their time over. */
#ifdef QUIT
#define may_quit(w)	(w < QUIT || is_bulk(w))
#else
#define may_quit(w)	false
#endif

/* Clients below STRAY also wake to ask the backend again, and for no reason. */
inline io_schedule_timeout(w)
{
	if
	:: !sleeping[w]
#ifdef STRAY
	:: atomic { sleeping[w] && w < STRAY -> sleeping[w] = false }
#endif
	:: atomic {
		sleeping[w] && may_quit(w) ->
			sleeping[w] = false;
			quit = true
	}
	fi
}

/*
 * Whose time is over, and has asked the backend for the last time, leaves the
 * queue, in the hold of the lock in which he finds that he lacks something.
 */
inline give_up(w)
{
	if
	:: quit && !done && !ask ->
		done = true;
#ifndef BUG_QUITS_UNSEEN
		dequeue(w)
#endif
	:: else
	fi
}

/* What he had by then is freed, one by one. */
inline free_what_there_is()
{
	do
	:: mine ->
		d_step {
			elem = lowest(mine);
			mine = mine & ~elem;
			out = out | elem
		}
		pool_free()
	:: else -> break
	od
}

/* From @mine, of whom there are @got, to @want. */
inline pool_wait(w, want)
{
	d_step {
		W(w).alive = true;
		W(w).elems = mine;
		W(w).got = got;
		W(w).wanted = want
	}
	if
	:: may_quit(w) -> quit = true	/* killed already */
	:: true
	fi;
	hold {
		lock();
		join(w);
		d_step {
			done = W(w).got == W(w).wanted;
			waiting[w] = !done;
			sleeping[w] = !done && !quit
		}
		give_up(w);
		unlock()
	}
	do
	:: done -> break
	:: else ->
		if
		:: ask -> ask_backend(w)
		:: else ->
			io_schedule_timeout(w);
			if
			:: ask = !W(w).woken
			:: quit -> ask = true	/* his time is over */
			fi
		fi;
#ifdef BUG_GOT_UNLOCKED
		done = W(w).got == W(w).wanted;
		if
		:: done -> break
		:: else
		fi;
#endif
		hold {
			lock();
			look(w);
			d_step {
				done = W(w).got == W(w).wanted;
				if
				:: !done && !ask && !quit -> sleeping[w] = true
				:: else
				fi
			}
			give_up(w);
			unlock()
		}
	od;
	atomic {
		mine = W(w).elems;
		got = W(w).got;
		quit = quit && got < W(w).wanted;
		W(w).alive = false;
		W(w).elems = 0;
		W(w).got = 0;
		W(w).wanted = 0;
		W(w).woken = false;
		W(w).overdue = false;
		W(w).late = 0;
		waiting[w] = false;
		done = false;
		ask = false
	}
#ifndef BUG_QUITS_WITH_SOME
	if
	:: quit -> free_what_there_is()
	:: else
	fi;
#endif
	quit = false
}

/* ----------------------------------------------------- mempool_core.c, alloc */

/* A newcomer takes from the reserve: may he? */
inline overtake()
{
#ifndef FAIR
	skip
#else
	d_step {
		pos = 0;
		do
		:: pos < nr_waiters ->
			if
			:: W(queue[pos]).overdue ->
				W(queue[pos]).late++;
				assert(waiter[queue[pos]].late <= PASSES)
			:: else
			fi;
			pos++
		:: else -> break
		od;
		pos = 0
	}
#endif
}

/* take_reserve_one(), take_reserve_all(): what is missing to @want, or nothing */
inline take_reserve(want)
{
	hold {
		lock();
#ifdef BUG_PART_OF_BULK
		ok = curr_nr > 0;
#else
		ok = curr_nr >= want - got;
#endif
		if
		:: ok && nr_waiters > 0 -> pool_admit(want - got)
		:: else
		fi;
		if
		:: ok -> overtake(); pool_take_reserve(mine, got, want)
		:: else
		fi;
		ok = false;
		unlock()
	}
}

/* mpslab_pool_alloc(), mpslab_pool_alloc_bulk() */
inline pool_alloc(w, want, may_sleep)
{
#ifdef OPEN
	take_backend();
	if
	:: elem -> d_step { mine = elem; got = 1; elem = 0 }
	:: else
	fi;
#endif
	if
	:: got < want -> take_reserve(want)
	:: else
	fi;
	if
	:: got < want && may_sleep -> pool_wait(w, want)
	:: else -> deciding = deciding - (want > 1)
	fi;
	d_step {
		assert((out & mine) == 0);
		out = out | mine;
		got = 0
	}
}

/* ---------------------------------------------------- mempool_core.c, resize */

inline pool_shrink(nr)
{
	hold {
		lock_to_shrink(nr);
		if
		:: missing < 0 -> remove_element()
		:: else
		fi;
		unlock()
	}
	do
	:: elem ->
		to_backend();
		hold {
			lock();
			if
			:: missing < 0 -> remove_element()
			:: else
			fi;
			unlock()
		}
	:: else -> break
	od
}

/* Of @mine, one hold of the lock for each */
inline put_new_elements()
{
	do
	:: mine ->
		d_step {
			elem = lowest(mine);
			mine = mine & ~elem
		}
		hold {
			lock();
#ifdef BUG_GROWTH_SERVES_NOBODY
			if
			:: missing > 0 -> add_element()
			:: else
			fi;
#else
			keep_element();
#endif
			unlock()
		}
		if
		:: elem -> to_backend()
		:: else
		fi
	:: else -> break
	od
}

inline pool_grow(nr)
{
	got = 0;
	do
	:: got < nr - min_nr ->
		take_backend();
		if
		:: elem -> d_step { mine = mine | elem; elem = 0; got++ }
		:: else -> break
		fi
	:: else -> break
	od;
	if
	:: got == nr - min_nr -> hold { lock(); set_min_nr(nr); unlock() }
	:: else
	fi;
	got = 0;
	put_new_elements()
}

/* -------------------------------------------------------------- who does it */

/* Whoever leaves last looks whether all is there. */
inline leave()
{
	d_step {
		busy--;
		if
		:: busy == 0 ->
			assert(missing == 0 && curr_nr == min_nr);
			pos = 0;
			do
			:: pos < curr_nr -> elem = elem | elements[pos]; pos++
			:: else -> break
			od;
			assert((elem & backend) == 0 && (elem | backend) == ALL);
			elem = 0;
			pos = 0
		:: else
		fi
	}
}

proctype client(byte me; byte want; bool may_sleep)
{
	byte mine, got, elem, first, batch, pos, min;
	bool ok, may, room, done, ask, quit;

end:	do
	:: atomic { min_nr >= want -> busy++; deciding = deciding + (want > 1) }
		pool_alloc(me, want, may_sleep);
		if
		:: want == 1 && mine != 0 ->
			d_step { elem = mine; mine = 0 }
			pool_free()
#ifdef BUG_QUITS_WITH_SOME
		:: want > 1 && (mine & (mine - 1)) == 0 -> out = out & ~mine; mine = 0
		:: want > 1 && (mine & (mine - 1)) != 0 -> pool_free_bulk()
#else
		:: want > 1 && mine != 0 -> pool_free_bulk()
#endif
		:: else
		fi;
		leave()
	:: break		/* nobody need ever come again */
	od
}

#if GROWN > MIN
proctype resizer()
{
	byte mine, got, elem, first, batch, pos;
	bool ok, may, room;

end:	do
	:: atomic { true -> busy++ }
		if
		:: min_nr == MIN -> pool_grow(GROWN)
		:: else -> pool_shrink(MIN)
		fi;
		leave()
	od
}
#endif

/* Time passes: who waits becomes overdue, ... */
proctype age()
{
	byte pos;

end:	do
	:: d_step {
		nr_waiters > 0 && !W(queue[nr_waiters - 1]).overdue ->
			do
			:: pos < nr_waiters ->
				W(queue[pos]).overdue = true;
				pos++
			:: else -> break
			od;
			pos = 0
	}
	od
}

/* ... and the clock ticks. */
proctype tick()
{
end:	do
	:: atomic { passes > 0 && !passes_old -> passes_old = true }
	od
}

init {
	byte i;

	atomic {
		do
		:: curr_nr < MIN ->
			elements[curr_nr] = 1 << curr_nr;
			curr_nr++
		:: else -> break
		od;
		do
		:: i < SINGLES -> run client(i, 1, true); i++
		:: i >= SINGLES && i < SINGLES + BULKS ->
			run client(i, 2, true);
			i++
		:: i >= SINGLES + BULKS && i < CLIENTS ->
			run client(i, 1, false);
			i++
		:: else -> break
		od;
		i = 0;
#if GROWN > MIN
		run resizer();
#endif
		run age();
		run tick()
	}
}

ltl served { [] (waiting[WHO] -> <> !waiting[WHO]) }
