#!/usr/bin/env perl
# Ids and the shards that they belong to, reckoned by long division on the digits of their hex text.
#
#     perl test/data/shard_of.pl > test/data/shard_of.tsv
#
# It knows of companion.shard_of() what docs/scaling.md says in words.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use Math::BigInt;

my $p = Math::BigInt->new(2)->bpow(31)->bsub(1);

# What is left of a number in hex, digit by digit
sub remainder
{
    my $left = 0;
    $left = ($left * 16 + hex $_) % 2147483647 for split //, shift;
    return Math::BigInt->new($left);
}

sub shard_of
{
    my ($id, $shards) = @_;
    my $x = remainder($id =~ tr/-//dr);
    $x = ($x->copy->bmul($x) + $x->copy->bmul(1618033989)) % $p for 1 .. 2;
    return ($x % $shards)->numify;
}

# 32 digits as a uuid is written
sub as_uuid { return join '-', unpack 'A8 A4 A4 A4 A12', shift; }

# An id of version 7 of one second, one of version 4, and one that is nearly empty or full
sub id
{
    my ($case) = @_;
    my $digits = md5_hex("id $case");
    substr($digits, 0, 13) = sprintf '%012x7', 1790000000000 + $case if $case % 4 < 2;
    substr($digits, 12, 1) = '4' if $case % 4 == 2;
    substr($digits, 16, 1) = 'b' if $case % 4 < 3;
    return as_uuid($digits) if $case % 4 < 3;
    return as_uuid($case % 8 == 3 ? sprintf('%032x', $case - 3) : 'f' x 24 . sprintf '%08x', 0xffffffff - $case + 7);
}

my @shards = (1, 2, 3, 7, 8, 10, 16, 60, 64, 100, 128, 1000, 4095, 4096);
print "user_id\tshards\tshard\n";
for my $case (0 .. 999)
{
    my $id = id($case);
    my $shards = $shards[$case % 13 == 0 ? $case / 13 % 14 : $case % 14];
    print join("\t", $id, $shards, shard_of($id, $shards)), "\n";
}
