# The shard of an id as docs/scaling.md has it in other languages: each block runs as it stands there, on the
# ids of test/data/shard_of.tsv.
use strict;
use warnings;

use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Documents;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my (undef, @vectors) = split /\n/, slurp_file('data/shard_of.tsv');
my %after = (
    python => ['python3', <<'END'],

import sys
for line in sys.stdin:
    user_id, shards, shard = line.split()
    print(user_id, shards, shard_of(user_id, int(shards)), sep='\t')
END
    javascript => ['node', <<'END'],

for (const line of require('fs').readFileSync(0, 'utf8').trim().split('\n')) {
  const [userId, shards] = line.split('\t');
  console.log([userId, shards, shardOf(userId, Number(shards))].join('\t'));
}
END
);

# The one block of the guide in a language.
sub block
{
    my ($language) = @_;
    my @blocks = grep { $_->[1] =~ /shard_?of\(/i } blocks('docs/scaling.md', $language);
    is(scalar @blocks, 1, "there is one for $language");
    return $blocks[0][1];
}

is(scalar @vectors, 1000, 'a thousand ids');
my $directory = PostgreSQL::Test::Utils::tempdir;
append_to_file("$directory/vectors", join("\n", @vectors) . "\n");
for my $language (sort keys %after)
{
    my ($interpreter, $rest) = @{ $after{$language} };
    append_to_file("$directory/$language", block($language) . $rest);
    my $stdout = `$interpreter $directory/$language < $directory/vectors`;
    is_deeply([ split /\n/, $stdout ], \@vectors, $language);
}

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $found = $node->safe_psql('postgres', block('sql') . <<"END");
CREATE TABLE vectors (user_id uuid, shards integer, shard integer);
\\copy vectors FROM '$directory/vectors'
\\pset fieldsep '\\t'
SELECT user_id, shards, shard_of(user_id, shards) FROM vectors;
END
is_deeply([ split /\n/, $found ], \@vectors, 'sql');

done_testing();
