<?php
// Receives Hamlet's webhooks and believes only what is signed. PHP 8.0 or newer, no extensions.
//
//     WEBHOOK_SECRET=whsec_... php -S 127.0.0.1:8080 receiver.php
//
// Take `verify` into your blog; what stands below it is for trying things out. The specification is Standard Webhooks 1.0.
declare(strict_types=1);

const TOLERANCE_SECONDS = 300; // an old webhook that somebody kept is worth nothing

/** The event, or an exception. `$secret` begins with whsec_, `$headers` has names in lower case, `$body` is the bytes as they came. */
function verify(string $secret, array $headers, string $body, ?int $now = null): array
{
    $id = $headers['webhook-id'] ?? '';
    $sent = $headers['webhook-timestamp'] ?? '';
    if ($id === '' || !ctype_digit($sent)) {
        throw new InvalidArgumentException('no webhook');
    }
    if (abs(($now ?? time()) - (int) $sent) > TOLERANCE_SECONDS) {
        throw new InvalidArgumentException('too old, or a clock is wrong');
    }
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
    if ($key === false || $key === '') {
        throw new InvalidArgumentException('our own secret is no whsec_ and base64');
    }
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$sent.$body", $key, true));
    // Several signatures stand there while the secret is being changed; one must be ours.
    $ours = array_filter(explode(' ', $headers['webhook-signature'] ?? ''), fn (string $one) => hash_equals($expected, $one));
    if ($ours === []) {
        throw new InvalidArgumentException('not signed with our secret');
    }
    return json_decode($body, true, 32, JSON_THROW_ON_ERROR);
}

if (PHP_SAPI === 'cli-server') {
    $headers = array_change_key_case(getallheaders(), CASE_LOWER);
    try {
        $event = verify((string) getenv('WEBHOOK_SECRET'), $headers, (string) file_get_contents('php://input'));
        // Any webhook may come twice (the same webhook-id): setting a status twice does no harm.
        file_put_contents('php://stdout', "{$event['type']} {$event['data']['id']} {$event['data']['status']}\n");
        http_response_code(204);
    } catch (InvalidArgumentException | JsonException $refused) {
        http_response_code(401);
        echo $refused->getMessage();
    }
}
