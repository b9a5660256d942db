# A small HTTP server, to stand for a program that is no llama.cpp: PORT SECONDS-UNTIL-READY.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $delay) = @ARGV;
my $ready = time + $delay;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 16, ReuseAddr => 1)
  or die "cannot listen on $port: $!";

sub answer {
    my ($path) = @_;
    return ('503 Loading', 'loading') if time < $ready;
    return ('200 OK', 'ready') if $path eq '/ready';
    if ($path =~ m{^/read(/.*)}) {
        open my $file, '<', $1 or return ('404 Not Found', "$!");
        return ('200 OK', join '', <$file>);
    }
    if ($path =~ m{^/write(/.*)}) {
        open my $file, '>', $1 or return ('403 Forbidden', "$!");
        return ('200 OK', 'written');
    }
    if ($path =~ m{^/bind/(\d+)}) {
        IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $1, Listen => 1)
          or return ('403 Forbidden', "$!");
        return ('200 OK', 'bound');
    }
    return ('200 OK', $ENV{$1} // '') if $path =~ m{^/env/(\w+)};
    return ('404 Not Found', 'unknown');
}

while (my $client = $server->accept) {
    my $request = <$client> // '';
    while (my $line = <$client>) { last if $line =~ /^\r?\n$/ }
    my ($status, $body) = answer((split ' ', $request)[1] // '');
    print $client "HTTP/1.0 $status\r\n\r\n$body";
    close $client;
}
