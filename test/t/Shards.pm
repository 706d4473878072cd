# A client of several shards and their directory, as docs/scaling.md has it: it links by a reservation, and
# resolves what another has left.
package Shards;

use strict;
use warnings;

sub new
{
    my ($class, %given) = @_;    # connect: what connects to a database by its name; shards: how many
    return bless { cut => undef, %given }, $class;
}

# The rows of a query on a database, each by its columns. Where the client is to be cut off, it is so before.
sub ask
{
    my ($self, $database, $sql, @values) = @_;
    die "cut off\n" if defined $self->{cut} && $self->{cut}-- == 0;
    my $handle = $self->{connections}{$database} //= $self->{connect}->($database);
    return @{ $handle->selectall_arrayref($sql, { Slice => {} }, @values) };
}

sub shard_of
{
    my ($self, $user) = @_;
    use bigint;
    my $x = hex($user =~ tr/-//dr) % 2147483647;
    $x = $x * ($x + 1618033989) % 2147483647 for 1 .. 2;
    return 'shard' . $x % $self->{shards};
}

# Have a shard do what links an address, in one transaction with the reservation; returns its answer, or taken.
sub by_reservation
{
    my ($self, $user, $address, $sql, @values) = @_;
    my ($reserved) = $self->ask('directory', 'SELECT * FROM companion.directory_reserve(?, ?, ?, ?)', $user, @$address);
    return { outcome => 'taken' } if $reserved->{outcome} eq 'taken';
    my @entry = ($user, @$address, $reserved->{reservation}, $reserved->{expires_at});
    my ($answer) = eval { $self->ask($self->shard_of($user), "WITH given AS MATERIALIZED
        (SELECT companion.take_reservation(?, ?, ?, ?, ?, ?)) SELECT answer.* FROM given, LATERAL ($sql) AS answer", @entry, @values) };
    die $@ if $@ && $@ !~ /reserv/;
    $self->settle(@entry);
    return $answer // { outcome => 'void' };
}

# Tell the directory what has become of one of its entries.
sub settle
{
    my ($self, $user, $channel, $address, $bot, $reservation, $expires_at) = @_;
    my ($settled) = $self->ask($self->shard_of($user), 'SELECT * FROM companion.settle_reservation(?, ?, ?, ?, ?, ?)',
        $user, $channel, $address, $bot, $reservation, $expires_at);
    $self->ask('directory', 'SELECT companion.directory_confirm(?, ?, ?, ?, ?)', $settled->{owner}, $channel, $address, $bot, $reservation)
        if $settled->{outcome} eq 'linked';
    $self->ask('directory', 'SELECT companion.directory_release(?, ?, ?, ?)', $channel, $address, $bot, $reservation)
        if $settled->{outcome} eq 'void';
}

sub settle_entries
{
    my ($self, $condition, @values) = @_;
    $self->settle(@$_{qw(user_id channel address bot reservation expires_at)})
        for $self->ask('directory', "SELECT * FROM companion.directory WHERE $condition", @values);
}

# What a shard has for the directory
sub work_off
{
    my ($self, $shard) = @_;
    for my $change ($self->ask($shard, 'SELECT * FROM companion.directory_changes ORDER BY since, id LIMIT 100'))
    {
        my ($user, $id, @address) = @$change{qw(user_id id channel address bot)};
        my $answer = { outcome => 'seen to' };
        if ($change->{is_wanted})
        {
            $answer = $self->link_wanted($user, $id, \@address);
        }
        else
        {
            $self->settle_entries('channel = ? AND address = companion.address_key(?, ?) AND bot = ?', @address[ 0, 0, 1, 2 ]);
        }
        $self->ask($shard, 'SELECT companion.directory_change_done(?, ?)', $user, $id) if $answer->{outcome} ne 'linked';
    }
}

sub link_wanted
{
    my ($self, $user, $id, $address) = @_;
    my ($reserved) = $self->ask('directory', 'SELECT * FROM companion.directory_reserve(?, ?, ?, ?)', $user, @$address);
    return $reserved if $reserved->{outcome} eq 'taken';
    my @reservation = @$reserved{qw(reservation expires_at)};
    my ($answer) = $self->ask($self->shard_of($user), 'SELECT companion.link_wanted_address(?, ?, ?, ?) AS outcome', $user, $id, @reservation);
    $self->settle($user, @$address, @reservation);
    return $answer;
}

# All that anybody has left
sub sweep
{
    my ($self) = @_;
    $self->work_off("shard$_") for 0 .. $self->{shards} - 1;
    $self->settle_entries('confirmed_at IS NULL');
}

# What a shard has, to a directory that does not know of it: after a restore
sub tell_anew
{
    my ($self, $shard) = @_;
    for my $has ($self->ask($shard, 'SELECT * FROM companion.addresses WHERE unlinked_at IS NULL'))
    {
        my ($user, @address) = @$has{qw(user_id channel address bot)};
        my ($reserved) = $self->ask('directory', 'SELECT * FROM companion.directory_reserve(?, ?, ?, ?)', $user, @address);
        if ($reserved->{outcome} eq 'taken') { $self->ask($shard, 'SELECT companion.unlink_address(?, ?, ?, ?)', $user, @address); }
        else { $self->settle($user, @address, @$reserved{qw(reservation expires_at)}); }
    }
}

sub link_address
{
    my ($self, $user, @address) = @_;
    return $self->by_reservation($user, \@address, 'SELECT companion.link_address(?, ?, ?, ?) AS outcome', $user, @address)->{outcome};
}

sub unlink_address
{
    my ($self, $user, @address) = @_;
    $self->ask($self->shard_of($user), 'SELECT companion.unlink_address(?, ?, ?, ?)', $user, @address);
    $self->settle_entries('channel = ? AND address = companion.address_key(?, ?) AND bot = ?', @address[ 0, 0, 1, 2 ]);
}

# Who has a Telegram account, or a new user who has it. Who had it and was not forgotten yet is so once it is settled.
sub sign_up
{
    my ($self, $account) = @_;
    my $id;
    until ($id)
    {
        my ($known) = $self->ask('directory', 'SELECT user_id FROM companion.directory_lookup(?, ?, NULL)', 'telegram', $account);
        my ($new) = $self->ask('directory', 'SELECT companion.uuid_v7() AS user_id');
        $id = $self->by_reservation(($known // $new)->{user_id}, [ 'telegram', $account, '' ],
            'SELECT id AS user_id FROM companion.put_user(NULL, ?)', qq({"telegram_user_id": $account}))->{user_id};
    }
    return $id;
}

# A token that a user's app has made, redeemed
sub redeem
{
    my ($self, $user, $account) = @_;
    my ($made) = $self->ask($self->shard_of($user), 'SELECT companion.create_telegram_link_token(?) AS token', $user);
    my $shard = 'shard' . ($made->{token} =~ /^(\d+)-/)[0];
    my ($owner) = $self->ask($shard, 'SELECT * FROM companion.link_token_owner(?)', $made->{token});
    my @redeem = ('SELECT * FROM companion.redeem_telegram_link_token(?, ?)', $made->{token}, $account);
    return $self->by_reservation($owner->{user_id}, [ 'telegram', $account, $owner->{for_bot} ], @redeem)->{outcome};
}

1;
