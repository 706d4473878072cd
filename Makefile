# Builds the extension with PGXS: compiles src/ and joins the subjects' .sql
# into companion--<version>.sql. The version's only home is companion.control.

EXTENSION   = companion router/companion_router
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'$$/\1/p" companion.control)

# The order in which the install script needs its subjects.
SUBJECTS = \
	identity/schema identity/identity sharding/shard scheduling/local_time policy/quiet_hours text/text \
	channels/channels policy/kinds policy/pauses policy/rates policy/caps users/users channels/addresses sharding/reservations sharding/directory users/onboarding users/auth_users users/personal_data \
	conversations/conversations conversations/writing conversations/reading \
	conversations/search conversations/analytics \
	memory/categories memory/memory facts/facts recall/recall recall/embeddings memory/functions \
	scheduling/scheduled_messages sending/queue scheduling/dispatch memory/follow_ups sending/worker sending/retry \
	policy/changes_of_mind policy/cancelling \
	policy/foretelling policy/explaining \
	linking/linking \
	cron/cron operations/operations moving/moving \
	identity/references identity/rights

# The pieces of the router's, in order; functions.sql and grants.sql are written by script/docs.
ROUTER = schema errors shards functions everywhere directory rights grants

INSTALL_SQL = companion--$(EXTVERSION).sql companion_router--$(EXTVERSION).sql
MODULE_big  = companion
OBJS        = $(patsubst %.cpp,%.o,$(sort $(wildcard src/*/*.cpp)))
OUR_HEADERS  = $(wildcard src/*/*.hpp)
DATA_built  = $(INSTALL_SQL)
DATA        = $(wildcard upgrade/companion--*.sql)
EXTRA_CLEAN = $(INSTALL_SQL)

PG_CPPFLAGS = -I$(srcdir)/src -DCOMPANION_VERSION='"$(EXTVERSION)"'
# The server's headers before 16 use `register`, which C++17 dropped; its flags name warnings that
# clang does not know.
PG_CXXFLAGS = -std=c++20 -fvisibility=hidden -fvisibility-inlines-hidden -Wextra -Wno-register \
	-Wno-unknown-warning-option -Wno-unused-parameter -Wno-missing-field-initializers \
	$(if $(WERROR),-Werror) $(COPT)
SHLIB_LINK += -lstdc++

REGRESS        = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
REGRESS_OPTS   = --load-extension=companion
ISOLATION      = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=output_iso --load-extension=companion

PG_CONFIG ?= pg_config
PGXS      := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PGXS compiles bitcode with its own flags; ours needs the same language.
override BITCODE_CXXFLAGS += -std=c++20 -fvisibility=hidden -Wno-register

$(OBJS): $(OUR_HEADERS) companion.control
$(OBJS:.o=.bc): $(OUR_HEADERS)

companion--$(EXTVERSION).sql: $(SUBJECTS:%=src/%.sql) companion.control
	{ printf '%s\n' '\echo Use "CREATE EXTENSION companion" to load this file. \quit'; \
	  cat $(SUBJECTS:%=$(srcdir)/src/%.sql); } > $@

companion_router--$(EXTVERSION).sql: $(ROUTER:%=router/%.sql) companion.control
	{ printf '%s\n' '\echo Use "CREATE EXTENSION companion_router" to load this file. \quit'; \
	  cat $(ROUTER:%=$(srcdir)/router/%.sql); } > $@
