# An app of many users, who come, link their accounts, write and leave. What only this app's users use, it knows, and
# notes where an answer is another; on a few accounts they meet those of the other apps.
#
#     app.pl ... PART
use strict;
use warnings;

use File::Basename 'dirname';
use lib dirname(__FILE__);
use Client;
use Time::HiRes 'sleep';

my ($part) = @ARGV;
# A user may have many that are linked, and one by a token or who signed up by it
my @linked = map { 1000 * $part + $_ } 1 .. 8;
my @tied = map { 1000 * $part + $_ } 51 .. 58;
my @mine = (@linked, @tied);
my @contended = 1 .. 4;
my (@linkers, @redeemers, @guests);
my %owner; # of an account
my $calls = 0;

sub expect
{
    my ($what, $got, $expected) = @_;
    note_down('wrong', $what, $got // 'NULL', 'for', $expected) if ($got // '') ne $expected;
    return;
}

sub new_user
{
    my ($fresh) = insist('SELECT companion.new_user_id()');
    my $user = $fresh->[0];
    my ($row) = insist('SELECT id FROM companion.put_user(?, ?)', $user, '{"display_name": "new"}');
    expect('put_user', $row->[0], $user);
    note_down('user', $user);
    return $user;
}

sub accounts_of
{
    my ($user) = @_;
    return grep { ($owner{$_} // '') eq $user } @mine;
}

sub link_account
{
    my ($user, $account) = (one_of(@linkers), one_of(@linked));
    my ($row) = insist(q{SELECT companion.link_address(?, 'telegram', ?)}, $user, "$account");
    my $is_free = ($owner{$account} // $user) eq $user;
    expect("link_address $user $account", $row->[0], $is_free ? 'linked' : 'taken');
    $owner{$account} = $user if $is_free;
    return;
}

sub unlink_account
{
    my ($user, $account) = (one_of(@linkers), one_of(@linked));
    my $is_mine = ($owner{$account} // '') eq $user;
    my ($row, $again) = insist(q{SELECT companion.unlink_address(?, 'telegram', ?)}, $user, "$account");
    expect("unlink_address $user $account", $row->[0] ? 'true' : 'false', $is_mine ? 'true' : 'false') unless $again;
    delete $owner{$account} if $is_mine;
    return;
}

sub redeem
{
    my ($user, $account) = (one_of(@redeemers), one_of(@tied));
    my ($made) = insist('SELECT companion.create_telegram_link_token(?)', $user);
    my ($row) = insist('SELECT outcome, user_id FROM companion.redeem_telegram_link_token(?, ?)', $made->[0], $account);
    my $is_free = ($owner{$account} // $user) eq $user;
    expect("redeem $user $account", join(' ', map { $_ // '' } @$row), $is_free ? "linked $user" : 'taken ');
    return unless $is_free;
    note_down('redeemed', $account);
    delete @owner{ accounts_of($user) };
    $owner{$account} = $user;
    return;
}

sub sign_up
{
    my $account = one_of(@tied);
    my ($row) = insist(q{SELECT id FROM companion.put_user(NULL, ?)}, qq({"telegram_user_id": $account}));
    my $user = $row->[0];
    expect("sign_up $account", $user, $owner{$account}) if $owner{$account};
    return if $owner{$account};
    note_down('signed up', $user);
    push @redeemers, $user;
    $owner{$account} = $user;
    return;
}

sub write_in
{
    my $account = one_of(@mine);
    my $external = 1_000_000 * $part + ++$calls;
    my ($row) = insist(q{SELECT user_id, message_id FROM companion.record_incoming('telegram', ?, 'hello', telegram_message_id => ?)}, "$account", $external);
    expect("record_incoming $account", $row->[0] // 'nobody', $owner{$account} // 'nobody');
    note_down('incoming', $external, @$row) if $row->[0];
    return;
}

sub write_on_web
{
    my ($user, $external) = (one_of(@linkers, @redeemers, @guests), "$part:" . ++$calls);
    my ($row) = insist(q{SELECT user_id, message_id FROM companion.record_incoming('web', ?, 'hello', external_id => ?)}, $user, $external);
    expect('record_incoming web', $row->[0], $user);
    note_down('incoming', $external, @$row);
    return;
}

sub schedule
{
    my $user = one_of(@linkers, @redeemers, @guests);
    my ($row) = insist(q{SELECT message_id FROM companion.schedule_message(?, '2026-03-01', 'hello', idempotency_key => ?)}, $user, 'key ' . ++$calls);
    note_down('scheduled', $user, $row->[0]);
    return;
}

sub leave
{
    my $from = one_of(\@linkers, \@redeemers, \@guests);
    return if @$from < 5;
    my ($user) = splice @$from, rand @$from, 1;
    insist('SELECT companion.erase_user(?)', $user);
    note_down('erased', $user);
    delete @owner{ accounts_of($user) };
    return;
}

# Who has it is a matter of who was first; only that it is answered
sub contend
{
    my ($user, $account) = (one_of(@guests), one_of(@contended));
    my $way = int rand 6;
    if ($way == 0) { insist(q{SELECT companion.unlink_address(?, 'telegram', ?)}, $user, "$account"); }
    elsif ($way == 1) { insist(q{SELECT companion.put_user(?, ?)}, $user, qq({"email": "$account\@example.org"})); }
    elsif ($way == 2) { insist(q{SELECT companion.put_user(?, '{"telegram_user_id": null}')}, $user); }
    elsif ($way == 3)
    {
        my ($made) = insist('SELECT companion.create_telegram_link_token(?)', $user);
        insist('SELECT outcome FROM companion.redeem_telegram_link_token(?, ?)', $made->[0], $account);
    }
    else { insist(q{SELECT companion.link_address(?, 'telegram', ?)}, $user, "$account"); }
    note_down('contended', $way, $account);
    return;
}

push @$_, new_user(), new_user(), new_user(), new_user() for \@linkers, \@redeemers, \@guests;
until (is_stopped())
{
    one_of(\&link_account, \&link_account, \&unlink_account, \&redeem, \&sign_up, \&write_in, \&write_in, \&write_on_web, \&schedule, \&contend, \&contend)->();
    push @{ one_of(\@linkers, \@redeemers, \@guests) }, new_user() if rand() < 0.05;
    leave() if rand() < 0.05;
    sleep 0.02;
}
note_down('has', $_, $owner{$_} // 'nobody') for @mine;
