# The code in the guides.
package Documents;

use strict;
use warnings;
use Exporter qw(import);
use PostgreSQL::Test::Utils;
our @EXPORT = qw(blocks sql_blocks);

# A Markdown file's blocks in a language, in order: [line, text]. One below a line <!-- not run: why --> is left out.
sub blocks
{
    my ($file, $language) = @_;
    my @lines = split /\n/, slurp_file($file);
    my (@blocks, $block, $is_left_out);
    for my $index (0 .. $#lines)
    {
        my $line = $lines[$index];
        if ($block)
        {
            if ($line =~ /^\s*```/)
            {
                push @blocks, $block unless $is_left_out;
                ($block, $is_left_out) = (undef, 0);
            }
            else { $block->[1] .= "$line\n"; }
        }
        elsif ($line =~ /^\s*```$language\b/) { $block = [ $index + 2, '' ]; }
        elsif ($line =~ /^<!-- not run: .+ -->$/) { $is_left_out = 1; }
        elsif ($line ne '') { $is_left_out = 0; }
    }
    return @blocks;
}

sub sql_blocks { return blocks(shift, 'sql'); }

1;
