// SPDX-License-Identifier: GPL-2.0
/*
 * What is looked at when an object of a debugged cache is handed out or comes back.
 *
 * A debugged slab keeps, apart from its objects, one word for each:
 *
 *	| aside | how often it was handed out | step |
 *
 * The step goes round, by one at a time: free, leaving, in use, returning, free.
 * Whoever moves it on from "free" or "in use" with cmpxchg() owns the object and
 * what is known of it until he moves it on again.  So
 *
 *	an object that is freed twice at the same time, on two CPUs, in an
 *	interrupt or an NMI, is freed by one of them, and the other is told;
 *	whoever only looks (check_object()) needs no lock: if the word is even, and
 *	the same before and after, nobody was at work in between.
 *
 * In the slab, an object lies between two red zones, whose bytes tell whether it
 * is in use or free; a free one is full of poison, unless it must keep what its
 * constructor or, with SLAB_TYPESAFE_BY_RCU, its last user left there:
 *
 *	| red zone | object | red zone |
 *
 * The bytes are those of <linux/poison.h>, which people know.
 *
 * What was written to where nothing should be is reported once, and the object
 * kept aside: nobody has it, and it is counted as in use.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/poison.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/string.h>

#include "internal.h"

/* Depth of the stacks that are kept. */
#define STACK_DEPTH		16
/* Of one's own frames, at most, on the way to the depot. */
#define STACK_SKIP		2

/* ------------------------------------------------------------ an object's word -- */

#define STATE_ASIDE		BIT(31)
#define STATE_STEP		GENMASK(1, 0)
#define STATE_USES		GENMASK(30, 2)

enum step { STEP_FREE, STEP_LEAVING, STEP_IN_USE, STEP_RETURNING };

static enum step state_step(u32 state)
{
	return state & STATE_STEP;
}

static u32 state_next(u32 state)
{
	return (state + 1) & ~STATE_ASIDE;
}

/*
 * Move on from @from.  A full barrier if it succeeds: what is written to the object
 * from here on is seen after the word, by smp_rmb() in check_object().
 */
static bool state_leave(u32 *state, enum step from)
{
	u32 old = READ_ONCE(*state);

	if ((old & (STATE_ASIDE | STATE_STEP)) != from)
		return false;
	return cmpxchg(state, old, state_next(old)) == old;
}

/* Move on; smp_load_acquire() in check_object() sees what was written before. */
static void state_arrive(u32 *state)
{
	smp_store_release(state, state_next(*state));	/* check_object() */
}

static void state_set_aside(struct mpslab_cache *cache, u32 *state)
{
	atomic_long_inc(&cache->aside);
	smp_store_release(state, *state | STATE_ASIDE);	/* check_object() */
}

/* --------------------------------------------------------------------- tracks -- */

static bool slab_tracks(struct mpslab_slab *slab)
{
	return slab_is_debugged(slab) && slab_debug(slab)->options & DEBUG_USER;
}

/* Where struct slab_debug lies behind the descriptor. */
static size_t debug_offset(unsigned int objects)
{
	return ALIGN(geometry_descriptor_bytes(objects), sizeof(u64));
}

static size_t tracks_offset(unsigned int objects)
{
	return ALIGN(struct_size_t(struct slab_debug, state, objects),
		     __alignof__(struct obj_track));
}

/**
 * slab_debug_bytes() - size of a debugged slab's descriptor
 * @objects: objects in the slab
 * @options: DEBUG_*
 *
 * Return: bytes, with all that follows it.
 */
size_t slab_debug_bytes(unsigned int objects, u8 options)
{
	size_t bytes = debug_offset(objects) + tracks_offset(objects);

	if (options & DEBUG_USER)
		bytes += 2 * objects * sizeof(struct obj_track);
	return bytes;
}

/**
 * slab_track() - who allocated an object, or who freed it last
 * @slab: the slab
 * @i: the object
 * @freed: which
 *
 * Context: any; who does not own the object may see it half written.
 * Return: the track; NULL if the slab keeps none.
 */
struct obj_track *slab_track(struct mpslab_slab *slab, unsigned int i, bool freed)
{
	void *tracks = (void *)slab_debug(slab) + tracks_offset(slab->objects);

	return slab_tracks(slab) ? (struct obj_track *)tracks + 2 * i + freed :
				   NULL;
}
EXPORT_SYMBOL_IF_KUNIT(slab_track);

static depot_stack_handle_t save_stack(void)
{
	unsigned long entries[STACK_DEPTH];
	unsigned int nr;

	nr = compat_stack_trace(entries, ARRAY_SIZE(entries), STACK_SKIP);
	return compat_stack_save(entries, nr, GFP_NOWAIT | __GFP_NOWARN);
}

/*
 * One in so many uses of an object is traced, objects in turn: of those that are
 * never freed, one in so many as well.
 */
static bool is_sampled(const struct mpslab_cache *cache, u32 state,
		       unsigned int i)
{
	unsigned int sample = READ_ONCE(cache->sample);

	return sample < 2 || !((FIELD_GET(STATE_USES, state) + i) % sample);
}

static void track(struct mpslab_slab *slab, unsigned int i, bool freed)
{
	struct obj_track *t = slab_track(slab, i, freed);
	u32 state = slab_debug(slab)->state[i];

	if (!t)
		return;
	if (!is_sampled(slab->cache, state, i)) {
		memset(t, 0, sizeof(*t));
		return;
	}
	t->when = local_clock();
	t->stack = save_stack();
	t->pid = task_pid_nr(current);
	t->cpu = raw_smp_processor_id();
}

/* -------------------------------------------------------------------- patterns -- */

/* May the content of free objects be written over? */
static bool has_poison(struct mpslab_slab *slab)
{
	return slab_debug(slab)->options & DEBUG_POISON && !slab->cache->ctor &&
	       !(slab->cache->flags & SLAB_TYPESAFE_BY_RCU);
}

static void fill_zones(struct mpslab_slab *slab, void *obj, u8 byte)
{
	const struct mpslab_cache *cache = slab->cache;
	const struct debug_layout *layout = &cache->debug_layout;

	if (!(slab_debug(slab)->options & DEBUG_RED_ZONE))
		return;
	memset(obj - layout->left, byte, layout->left);
	memset(obj + cache->object_size, byte,
	       layout->size - layout->left - cache->object_size);
}

static void fill_free(struct mpslab_slab *slab, void *obj)
{
	fill_zones(slab, obj, SLUB_RED_INACTIVE);
	if (has_poison(slab)) {
		memset(obj, POISON_FREE, slab->cache->object_size - 1);
		*(u8 *)(obj + slab->cache->object_size - 1) = POISON_END;
	}
}

static void fill_in_use(struct mpslab_slab *slab, void *obj)
{
	fill_zones(slab, obj, SLUB_RED_ACTIVE);
	if (has_poison(slab))
		memset(obj, POISON_INUSE, slab->cache->object_size);
}

static void copy_track(struct obj_track *to, struct mpslab_slab *slab,
		       unsigned int i, bool freed)
{
	const struct obj_track *t = slab_track(slab, i, freed);

	/* Half of it may be new, of whom nobody is right about the object. */
	*to = t ? data_race(*t) : (struct obj_track){ };
}

static void view_object(struct object_view *view, struct mpslab_slab *slab,
			unsigned int i)
{
	view->index = i;
	view->objects = slab->objects;
	view->inside = 0;
	copy_track(&view->allocated, slab, i, false);
	copy_track(&view->freed, slab, i, true);
}

/* The same for what need not be the start of one; false if it lies in none. */
static bool view_inside(struct object_view *view, struct mpslab_slab *slab,
			const void *addr)
{
	const void *obj = slab_object_around(slab, addr, 1);

	if (!obj)
		return false;
	view_object(view, slab, slab_index(slab, obj));
	view->inside = addr - obj;
	return true;
}

/**
 * view_address() - what is known of the object that an address lies in
 * @view: where it is told
 * @cache: the cache
 * @addr: any address
 *
 * Its slab can't go meanwhile, as can that of an object which is free.
 *
 * Context: any, without a node's list_lock.
 * Return: false if it lies in no object of the cache, or can't be looked up in NMI.
 */
bool view_address(struct object_view *view, struct mpslab_cache *cache,
		  const void *addr)
{
	int nid = obj_nid(addr);
	struct cache_node *n = nid == NUMA_NO_NODE ? NULL : cache->node[nid];
	struct mpslab_slab *slab;
	unsigned long flags;
	bool found;

	if (!n || in_nmi())
		return false;
	raw_spin_lock_irqsave(&n->list_lock, flags);
	slab = obj_to_slab(cache, addr);
	found = slab && view_inside(view, slab, addr);
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	return found;
}

/* From @offset bytes behind @obj on, the first that is not @byte. */
static bool find_other(struct wrong_byte *wrong, enum cache_error error,
		       const void *obj, long offset, u8 byte, size_t bytes)
{
	/* Whoever looks without owning the object asks afterwards who did. */
	const u8 *at = data_race(memchr_inv(obj + offset, byte, bytes));

	if (likely(!at))
		return false;
	wrong->error = error;
	wrong->at = (const void *)at - obj;
	wrong->found = data_race(*at);		/* likewise */
	wrong->expected = byte;
	return true;
}

static bool find_fault(struct mpslab_slab *slab, const void *obj, bool in_use,
		       struct wrong_byte *wrong)
{
	const struct mpslab_cache *cache = slab->cache;
	const struct debug_layout *layout = &cache->debug_layout;
	size_t size = cache->object_size;
	u8 zone = in_use ? SLUB_RED_ACTIVE : SLUB_RED_INACTIVE;

	if (slab_debug(slab)->options & DEBUG_RED_ZONE &&
	    (find_other(wrong, ERROR_RED_ZONE, obj, -(long)layout->left, zone,
			layout->left) ||
	     find_other(wrong, ERROR_RED_ZONE, obj, size, zone,
			layout->size - layout->left - size)))
		return true;
	return !in_use && has_poison(slab) &&
	       (find_other(wrong, ERROR_POISON, obj, 0, POISON_FREE, size - 1) ||
		find_other(wrong, ERROR_POISON, obj, size - 1, POISON_END, 1));
}

/**
 * report_fault() - report an object that was written where it should not be
 * @fault: what check_object() found
 * @fix: what was done about it
 *
 * Context: any.
 */
void report_fault(const struct object_fault *fault, const char *fix)
{
	const struct wrong_byte *wrong = &fault->wrong;
	long size = fault->cache->object_size, at = wrong->at;

	cache_bug_object(fault->cache, &fault->view, wrong->error, fix,
			 "object of %ld bytes, written %ld byte(s) %s: 0x%02x where 0x%02x was",
			 size, at < 0 ? -at : at < size ? at : at - size,
			 at < 0 ? "before its start" : at < size ?
			 "into it while it was free" : "behind its end",
			 wrong->found, wrong->expected);
}

/* Nobody gets the object any more; the caller owns it. */
static noinline void keep_aside(struct mpslab_slab *slab, unsigned int i,
				const struct wrong_byte *wrong)
{
	struct object_fault fault = { .cache = slab->cache, .wrong = *wrong };

	view_object(&fault.view, slab, i);
	report_fault(&fault, "object kept aside");
	state_set_aside(slab->cache, &slab_debug(slab)->state[i]);
}

/* ---------------------------------------------------------------------- looks -- */

/**
 * slab_debug_init() - prepare a new slab that knows of its objects
 * @slab: the slab, its descriptor set up
 * @options: DEBUG_*
 */
void slab_debug_init(struct mpslab_slab *slab, u8 options)
{
	struct slab_debug *debug = slab_debug(slab);
	unsigned int i;

	memset(debug, 0, slab_debug_bytes(slab->objects, options) -
	       debug_offset(slab->objects));
	INIT_LIST_HEAD(&debug->list);
	debug->slab = slab;
	debug->options = options;
	for (i = 0; i < slab->objects; i++)
		fill_free(slab, slab_object(slab, i));
}

/* Are its objects' words all that is looked at? */
static bool only_checked(struct mpslab_slab *slab)
{
	return slab_debug(slab)->options == DEBUG_CHECKS;
}

/**
 * check_alloc() - look at an object before it is handed out
 * @cache: the cache
 * @obj: what was in an array, or in a slab
 *
 * Of plain slabs, only whether it is an object: before the looking began,
 * anything could have been freed to an array.
 *
 * Context: any; the caller owns the object.
 * Return: false if it must not be handed out, and then it is nobody's.
 */
bool check_alloc(struct mpslab_cache *cache, void *obj)
{
	struct mpslab_slab *slab;
	struct wrong_byte wrong;
	u32 *state;
	int i;

	i = obj_to_index(cache, obj, &slab);
	if (unlikely(i < 0)) {
		report_bad_free(cache, free_error(slab, i, obj), obj, 1);
		return false;
	}
	if (!slab_is_debugged(slab))
		return true;
	state = &slab_debug(slab)->state[i];
	if (unlikely(!state_leave(state, STEP_FREE))) {
		report_bad_free(cache, ERROR_DOUBLE_FREE, obj, 1);
		return false;
	}
	if (only_checked(slab)) {
		state_arrive(state);
		return true;
	}
	if (unlikely(find_fault(slab, obj, false, &wrong))) {
		keep_aside(slab, i, &wrong);
		return false;
	}
	track(slab, i, false);
	fill_in_use(slab, obj);
	state_arrive(state);
	return true;
}

/**
 * check_free() - look at an object that comes back
 * @cache: the cache
 * @obj: the object, or any address that region_known()
 *
 * Context: any; the caller owned the object.
 * Return: false if it must not be freed.
 */
bool check_free(struct mpslab_cache *cache, void *obj)
{
	struct mpslab_slab *slab;
	struct wrong_byte wrong;
	u32 *state;
	int i;

	i = obj_to_index(cache, obj, &slab);
	if (unlikely(i < 0)) {
		refuse_free(cache, free_error(slab, i, obj), obj);
		return false;
	}
	if (!slab_is_debugged(slab)) {
		if (likely(!slab_free_bit(slab, i))) {
			if (cache->init_on_free)
				memset(obj, 0, cache->object_size);
			return true;
		}
		refuse_free(cache, ERROR_DOUBLE_FREE, obj);
		return false;
	}
	state = &slab_debug(slab)->state[i];
	if (unlikely(!state_leave(state, STEP_IN_USE))) {
		refuse_free(cache, ERROR_DOUBLE_FREE, obj);
		return false;
	}
	if (unlikely(!only_checked(slab) && find_fault(slab, obj, true, &wrong))) {
		keep_aside(slab, i, &wrong);
		return false;
	}
	if (cache->init_on_free)
		memset(obj, 0, cache->object_size);
	if (!only_checked(slab)) {
		track(slab, i, true);
		fill_free(slab, obj);
	}
	state_arrive(state);
	return true;
}

/**
 * check_object() - look at an object of a debugged slab, whoever has it
 * @slab: the slab, which stays as long as this takes
 * @i: the object
 * @fault: what was found, for report_fault()
 *
 * Context: any; does not disturb anybody.
 * Return: false if it was written where it should not be.
 */
bool check_object(struct mpslab_slab *slab, unsigned int i,
		  struct object_fault *fault)
{
	u32 *state = &slab_debug(slab)->state[i];
	u32 before = smp_load_acquire(state);	/* state_arrive() */
	enum step step = state_step(before);

	if (before & STATE_ASIDE || (step != STEP_FREE && step != STEP_IN_USE))
		return true;
	if (likely(!find_fault(slab, slab_object(slab, i), step == STEP_IN_USE,
			       &fault->wrong)))
		return true;
	smp_rmb();				/* state_leave() */
	if (READ_ONCE(*state) != before)
		return true;
	fault->cache = slab->cache;
	view_object(&fault->view, slab, i);
	return false;
}

/**
 * check_in_use() - is an object of a debugged slab in a client's hands?
 * @slab: the slab
 * @i: the object
 *
 * Context: any; only true for an instant.
 * Return: true if so.
 */
bool check_in_use(struct mpslab_slab *slab, unsigned int i)
{
	u32 state = READ_ONCE(slab_debug(slab)->state[i]);

	return !(state & STATE_ASIDE) && state_step(state) == STEP_IN_USE;
}

/**
 * check_forget_aside() - objects that are kept aside may go with their slab
 * @slab: a debugged slab, of which nothing will be taken any more
 *
 * Context: list_lock of the slab's node; nobody uses the cache any more.
 */
void check_forget_aside(struct mpslab_slab *slab)
{
	struct cache_node *n = slab->cache->node[slab_nid(slab)];
	struct slab_debug *debug = slab_debug(slab);
	unsigned int i;

	for (i = 0; i < slab->objects; i++) {
		if (!(debug->state[i] & STATE_ASIDE))
			continue;
		debug->state[i] = STEP_FREE;
		atomic_long_dec(&slab->cache->aside);
		n->frees++;
		node_put(n, slab, slab_object(slab, i), NULL);
	}
}
