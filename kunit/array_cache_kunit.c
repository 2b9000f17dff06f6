// SPDX-License-Identifier: GPL-2.0
/*
 * The array cache against a model that moves one object at a time.
 *
 * Small arrays are exhausted: every sequence of three operations, with every
 * count, from every fill of the array and of its peer.  Large ones get long
 * random sequences.  After every operation the whole state is compared.
 */
#include "fixtures.h"

#define MODEL_MAX	120	/* objects in the largest array */
#define PEER_LIMIT	2	/* the peer of a transfer, when exhausting */
/* Operations in a sequence, when exhausting; KMSAN takes some 40 times as long. */
#define DEPTH		(IS_ENABLED(CONFIG_KMSAN) ? 2 : 3)
#define GUARD		0x6a17UL

/**
 * struct subject - an array cache and what it should be
 * @raw: the array, and a guard word behind its last entry
 * @nr: the model from here on: number of objects,
 * @limit: how many there may be,
 * @obj: the objects, oldest first
 */
struct subject {
	unsigned long raw[sizeof(struct array_cache) / sizeof(long) +
			  MODEL_MAX + 1];
	unsigned int nr;
	unsigned int limit;
	void *obj[MODEL_MAX];
};

/* Two arrays, so that there is somebody to transfer from and to. */
struct state {
	struct subject a;
	struct subject peer;
};

enum ac_op { PUSH, POP, PUSH_MANY, POP_MANY, DROP, TO_PEER, FROM_PEER,
	  PUSH_CLOSED, POP_CLOSED, NR_OPS };

static const char *const op_names[] = {
	"push", "pop", "push_many", "pop_many", "drop_oldest", "to_peer",
	"from_peer", "push_closed", "pop_closed",
};

/* Objects are never looked into, so any distinct addresses will do. */
static void *new_object(void)
{
	static unsigned long serial;

	return (void *)((++serial & 0xffffff) << 4);
}

static struct array_cache *ac_of(struct subject *s)
{
	return (void *)s->raw;
}

static unsigned long *guard_of(struct subject *s)
{
	return (unsigned long *)&ac_of(s)->entry[s->limit];
}

static void subject_init(struct subject *s, unsigned int limit)
{
	memset(s, 0xa5, sizeof(*s));
	s->nr = 0;
	s->limit = limit;
	ac_init(ac_of(s), limit, (limit + 1) / 2);
	*guard_of(s) = GUARD;
}

static bool subject_right(struct subject *s)
{
	struct array_cache *ac = ac_of(s);
	unsigned int i;

	if (ac->avail != s->nr || ac->limit != s->limit ||
	    ac->batchcount != (s->limit + 1) / 2 ||
	    ac_room(ac) != s->limit - s->nr || *guard_of(s) != GUARD)
		return false;
	for (i = 0; i < s->nr; i++)
		if (ac->entry[i] != s->obj[i])
			return false;
	return true;
}

/* ----------------------------------------------- the model, one at a time -- */

static bool model_push(struct subject *s, void *obj)
{
	if (s->nr == s->limit)
		return false;
	s->obj[s->nr] = obj;
	s->nr++;
	return true;
}

static void *model_pop(struct subject *s)
{
	if (!s->nr)
		return NULL;
	s->nr--;
	return s->obj[s->nr];
}

static void model_drop_first(struct subject *s)
{
	unsigned int i;

	for (i = 1; i < s->nr; i++)
		s->obj[i - 1] = s->obj[i];
	s->nr--;
}

/* ------------------------------------------------------ one operation each -- */

static bool do_push(struct subject *s)
{
	void *obj = new_object();

	return ac_push(ac_of(s), s->limit, obj) == model_push(s, obj);
}

static bool do_pop(struct subject *s)
{
	void *obj = NULL;

	return ac_pop(ac_of(s), s->limit, &obj) == !!s->nr &&
	       obj == model_pop(s);
}

/* A limit given as 0 has both refused, whatever the array holds. */
static bool do_closed(struct subject *s, enum ac_op op)
{
	void *obj = s;

	if (op == PUSH_CLOSED)
		return !ac_push(ac_of(s), 0, new_object());
	return !ac_pop(ac_of(s), 0, &obj) && obj == s;
}

static bool do_push_many(struct subject *s, unsigned int count)
{
	static void *objs[MODEL_MAX + 2];
	unsigned int i, fitted = 0;

	for (i = 0; i < count; i++)
		objs[i] = new_object();
	while (fitted < count && model_push(s, objs[fitted]))
		fitted++;
	return ac_push_many(ac_of(s), objs, count) == fitted;
}

static bool do_pop_many(struct subject *s, unsigned int count)
{
	static void *objs[MODEL_MAX + 3];
	unsigned int i, got, expected = 0;
	void *guard = new_object();

	got = min(count, s->nr);
	objs[got] = guard;
	if (ac_pop_many(ac_of(s), objs, count) != got)
		return false;
	/* The newest leaves first, and so comes last in the result. */
	for (i = got; i > 0; i--)
		expected += objs[i - 1] == model_pop(s);
	return expected == got && objs[got] == guard;
}

static bool do_drop(struct subject *s, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		model_drop_first(s);
	ac_drop_oldest(ac_of(s), count);
	return true;
}

static bool do_transfer(struct subject *to, struct subject *from,
			unsigned int count)
{
	unsigned int i, moved;

	moved = min3(count, from->nr, to->limit - to->nr);
	for (i = from->nr - moved; i < from->nr; i++)
		model_push(to, from->obj[i]);
	for (i = 0; i < moved; i++)
		model_pop(from);
	return ac_transfer(ac_of(to), ac_of(from), count) == moved;
}

static bool apply(struct state *st, enum ac_op op, unsigned int count)
{
	switch (op) {
	case PUSH:
		return do_push(&st->a);
	case POP:
		return do_pop(&st->a);
	case PUSH_MANY:
		return do_push_many(&st->a, count);
	case POP_MANY:
		return do_pop_many(&st->a, count);
	case DROP:
		return do_drop(&st->a, min(count, st->a.nr));
	case TO_PEER:
		return do_transfer(&st->peer, &st->a, count);
	case FROM_PEER:
		return do_transfer(&st->a, &st->peer, count);
	default:
		return do_closed(&st->a, op);
	}
}

static bool step(struct kunit *test, struct state *st, enum ac_op op,
		 unsigned int count)
{
	bool ok = apply(st, op, count) && subject_right(&st->a) &&
		  subject_right(&st->peer);

	KUNIT_EXPECT_TRUE_MSG(test, ok, "%s(%u): limit %u, now %u, model %u",
			      op_names[op], count, st->a.limit,
			      ac_of(&st->a)->avail, st->a.nr);
	return ok;
}

/* ------------------------------------------------------------- the cases -- */

/* All sequences of @depth operations from @st on; @st[i] are for the levels. */
static bool exhaust(struct kunit *test, struct state *st, unsigned int depth)
{
	unsigned int op, count, counts;

	if (!depth)
		return true;
	for (op = 0; op < NR_OPS; op++) {
		counts = op == PUSH || op == POP || op >= PUSH_CLOSED ?
			 1 : st->a.limit + 2;
		for (count = 0; count < counts; count++) {
			st[1] = st[0];
			if (!step(test, &st[1], op, count) ||
			    !exhaust(test, st + 1, depth - 1))
				return false;
		}
	}
	return true;
}

static void exhaust_limit(struct kunit *test, unsigned int limit)
{
	unsigned int fill, peer_fill;
	struct state *st;

	st = kunit_kcalloc(test, DEPTH + 1, sizeof(*st), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, st);
	for (fill = 0; fill <= limit; fill++) {
		for (peer_fill = 0; peer_fill <= PEER_LIMIT; peer_fill++) {
			subject_init(&st->a, limit);
			subject_init(&st->peer, PEER_LIMIT);
			do_push_many(&st->a, fill);
			do_push_many(&st->peer, peer_fill);
			if (!exhaust(test, st, DEPTH))
				return;
		}
	}
}

static void ac_limit_1_exhausted(struct kunit *test)
{
	exhaust_limit(test, 1);
}

static void ac_limit_2_exhausted(struct kunit *test)
{
	exhaust_limit(test, 2);
}

static void ac_limit_3_exhausted(struct kunit *test)
{
	exhaust_limit(test, 3);
}

static void ac_limit_4_exhausted(struct kunit *test)
{
	exhaust_limit(test, 4);
}

/* A long sequence on arrays of random size, up to the default of small objects. */
static void ac_random_sequence(struct kunit *test)
{
	unsigned int round, i, limit, steps = scaled(2000);
	struct rnd_state rnd;
	struct state *st;

	st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, st);
	prandom_seed_state(&rnd, fixture_seed(test));
	for (round = 0; round < 40; round++) {
		limit = 1 + random_below(&rnd, MODEL_MAX);
		subject_init(&st->a, limit);
		subject_init(&st->peer, 1 + random_below(&rnd, MODEL_MAX));
		for (i = 0; i < steps; i++)
			if (!step(test, st, random_below(&rnd, NR_OPS),
				  random_below(&rnd, limit + 2)))
				return;
	}
}

static void ac_bytes_holds_limit_entries(struct kunit *test)
{
	struct array_cache *ac;
	unsigned int limit;

	for (limit = 1; limit <= CPU_LIMIT_MAX; limit *= 2) {
		ac = kunit_kmalloc(test, ac_bytes(limit), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, ac);
		KUNIT_EXPECT_PTR_EQ(test, (void *)&ac->entry[limit],
				    (void *)ac + ac_bytes(limit));
	}
}

static struct kunit_case array_cache_cases[] = {
	KUNIT_CASE(ac_bytes_holds_limit_entries),
	KUNIT_CASE(ac_limit_1_exhausted),
	KUNIT_CASE(ac_limit_2_exhausted),
	KUNIT_CASE(ac_limit_3_exhausted),
	KUNIT_CASE(ac_limit_4_exhausted),
	KUNIT_CASE(ac_random_sequence),
	{}
};

static struct kunit_suite array_cache_suite = {
	.name = "mpslab_array_cache",
	.test_cases = array_cache_cases,
};

kunit_test_suite(array_cache_suite);
