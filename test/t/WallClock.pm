# What clocks on the wall show, by the C library: an account of local time that owes nothing to the
# extension's or the server's. Times are seconds since 1970, days of the calendar since 1970-01-01.
package WallClock;

use strict;
use warnings;

use Exporter 'import';
use POSIX ();
use Time::Local 'timegm_modern';

our @EXPORT_OK = qw(day_of weekday_of first_instant is_in_window window_end is_same_period period_end);

# What a clock in a zone shows, as the time at which one in UTC does.
sub shown
{
    my ($zone, $at) = @_;
    local $ENV{TZ} = $zone;
    my ($second, $minute, $hour, $day, $month, $year) = localtime $at;
    return timegm_modern($second, $minute, $hour, $day, $month, $year + 1900);
}

sub day_of
{
    my ($zone, $at) = @_;
    return POSIX::floor(shown($zone, $at) / 86400);
}

# 1 for Monday
sub weekday_of { return ($_[0] + 3) % 7 + 1; }

# When a clock first shows a time, in minutes, of a day, or comes past it
sub first_instant
{
    my ($zone, $day, $minutes) = @_;
    my $time = $day * 86400 + $minutes * 60;
    my $at = $time - 15 * 3600;
    my $to_go = $time - shown($zone, $at);
    $at += $to_go - 3 * 3600 if $to_go > 3 * 3600;
    $at += 60 while shown($zone, $at) < $time;
    return $at;
}

# Whether the clock shows a time from one up to another, in minutes
sub is_in_window
{
    my ($zone, $from, $until, $at) = @_;
    return 0 unless defined $from && defined $until;
    my $time = int(shown($zone, $at) % 86400 / 60);
    return $from <= $until ? $from <= $time && $time < $until : $time >= $from || $time < $until;
}

my %known_ends; # by the window; each with a time from which on it was looked for

# When it has gone through the window, from a time within it
sub window_end
{
    my ($zone, $from, $until, $at) = @_;
    my $known = $known_ends{"$zone $from $until"} //= [ 0, 0 ];
    return $known->[1] if $known->[0] <= $at && $at < $known->[1];
    my $end = $at + 60 - $at % 60;
    $end += 60 while is_in_window($zone, $from, $until, $end);
    @$known = ($at, $end);
    return $end;
}

# A name for the day, week or month that a clock shows
sub period_of
{
    my ($period, $zone, $at) = @_;
    my $day = day_of($zone, $at);
    return $day if $period eq 'day';
    return int(($day + 3) / 7) if $period eq 'week';
    return POSIX::strftime('%Y-%m', gmtime $day * 86400);
}

sub is_same_period
{
    my ($period, $zone, $one, $other) = @_;
    return period_of($period, $zone, $one) eq period_of($period, $zone, $other);
}

# When the next begins
sub period_end
{
    my ($period, $zone, $at) = @_;
    my ($in, $out) = ($at, $at + 32 * 86400);
    while ($out - $in > 1)
    {
        my $between = int(($in + $out) / 2);
        is_same_period($period, $zone, $at, $between) ? ($in = $between) : ($out = $between);
    }
    return $out;
}

1;
